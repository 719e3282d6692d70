"""Reads a stored event for the projection, or says why the projection cannot apply it.

The log may hold anything: an event of a newer version, or one that was written past the services. What is refused here
is refused on both databases, so that both have the same rows.
"""

from datetime import timedelta
from functools import lru_cache

from nats.js.api import Header
from pydantic import ValidationError

from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.errors import UnreadableEvent
from nightmail_common.contract.events import Event, JobCreated, JobEvent, JobUpdated, RecipientUnsubscribed
from nightmail_common.contract.subjects import job_name_of
from nightmail_common.contract.timetable import Timetable, schedule_times

#: A reason names the field and the fault; it repeats no value, because an erasure could not find it.
MAX_REASON_CHARACTERS = 300
#: Longer than any name that a request may have (128 characters), and short enough for an index of PostgreSQL (2,704 bytes).
MAX_NAME_CHARACTERS = 200
#: A `Nats-TTL` beyond a century is not a retention that a user set.
_MAX_TTL_DIGITS = len(str(int(timedelta(days=36_500).total_seconds())))

_NUL = "a NUL character, which PostgreSQL refuses"


def read_event(stored: StoredEvent) -> Event:
    """Return the event.

    Raises:
        UnreadableEvent: the projection cannot apply it.
    """
    try:
        event = stored.event()
        if event is None:
            raise UnreadableEvent(f"unknown type {stored.headers.get('ce-type')}"[:MAX_REASON_CHARACTERS])
        _check(event, stored)
    except ValidationError as error:
        raise UnreadableEvent(describe(error)) from None
    except ValueError as error:  # an invalid schedule, or a subject that is not percent-encoded UTF-8
        raise UnreadableEvent(type(error).__name__) from None
    return event


def describe(error: Exception) -> str:
    """Return the reason that is recorded for an error, without any value of the event."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    text = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['type']}" for fault in faults)
    return text[:MAX_REASON_CHARACTERS]


def expires_at(stored: StoredEvent) -> float | None:
    """Return when the log drops an event (its `Nats-TTL`, whole seconds), in seconds since 1970; None for never."""
    seconds = stored.headers.get(Header.MSG_TTL.value, "").removesuffix("s")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= _MAX_TTL_DIGITS):
        return None
    return stored.time.timestamp() + int(seconds)


def _check(event: Event, stored: StoredEvent) -> None:
    """Refuse what would break a row, or a query that reads it."""
    if event.job_name != _job_name(stored.subject):
        raise UnreadableEvent("job_name: not the name in the subject")
    if len(event.job_name) > MAX_NAME_CHARACTERS:
        raise UnreadableEvent(f"job_name: more than {MAX_NAME_CHARACTERS} characters")
    if "\0" in event.job_name:
        raise UnreadableEvent(_NUL)
    if not isinstance(event, JobEvent):
        return
    texts = [event.actor]
    if isinstance(event, RecipientUnsubscribed):
        texts.append(event.address)
    if isinstance(event, JobCreated | JobUpdated):
        if event.job.job_name != event.job_name:
            raise UnreadableEvent("job.job_name: not the event's job_name")
        texts += [*schedule_times(event.job), event.job.timezone]
        Timetable.of(event.job)
    if any("\0" in text for text in texts):
        raise UnreadableEvent(_NUL)


# The events of one job come together, and to decode a token costs a third of reading its event.
@lru_cache(maxsize=1024)
def _job_name(subject: str) -> str:
    return job_name_of(subject.split(".")[1])
