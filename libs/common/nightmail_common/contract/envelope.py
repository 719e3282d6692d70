"""CloudEvents 1.0 on NATS headers, binary mode: attributes in headers, the event as JSON in the body.

Source: CloudEvents 1.0.2 and its NATS protocol binding (attribute headers are prefixed `ce-`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from uuid import UUID

import uuid_utils.compat

from nightmail_common.contract.events import EVENTS, Event
from nightmail_common.contract.subjects import job_name_of

#: A header of what the ticker publishes: the due time and the job's id. Its readers need not read the bodies of requests.
DUE_HEADER = "Nightmail-Due"
#: A time further in the future is the mark of a clock that was ahead. More than synchronised clocks differ.
AHEAD_TOLERANCE = timedelta(minutes=2)


def event_headers(event: Event | type[Event], source: str) -> dict[str, str]:
    """Return the headers of a new event: a UUIDv7 as id (RFC 9562), the service as source, the current time."""
    return {
        "ce-specversion": "1.0",
        "ce-id": str(uuid_utils.compat.uuid7()),
        "ce-type": f"nightmail.{event.name}.v{event.type_version}",
        "ce-source": source,
        "ce-time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "content-type": "application/json",
    }


def event_body(event: Event) -> bytes:
    """Return an event as JSON, without the fields that have no value."""
    return event.model_dump_json(exclude_none=True).encode()


def iso_time(moment: datetime) -> str:
    """Return a moment in UTC with milliseconds (RFC 3339): the order of such texts is the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class StoredEvent:
    """An event as the log holds it. `time` is the broker's own timestamp, `sequence` its place in the log."""

    sequence: int
    time: datetime
    subject: str
    headers: Mapping[str, str]
    data: bytes

    @cached_property
    def name(self) -> str:
        """The event's name, `run-requested`: the subject's last token, so that a filter and a reader agree."""
        return self.subject.rpartition(".")[2]

    @cached_property
    def job_name(self) -> str:
        """The job's name in the subject; the subject's token itself if it is no percent-encoded UTF-8."""
        token = self.subject.split(".")[1]
        try:
            return job_name_of(token)
        except UnicodeDecodeError:
            return token

    @property
    def source(self) -> str:
        return self.headers.get("ce-source", "")

    def event(self) -> Event | None:
        """Return the event, or None if this program does not know its kind or version.

        Raises:
            pydantic.ValidationError: the body does not fit the event's model.
        """
        model = EVENTS.get(self.name)
        if model is None or self.headers.get("ce-type") != f"nightmail.{model.name}.v{model.type_version}":
            return None
        return model.model_validate_json(self.data)


def run_message_id(run_id: UUID, *parts: str) -> str:
    """Return a message id that is the same for the same fact of a run, so that the log keeps it once."""
    return ".".join((str(run_id), *parts))
