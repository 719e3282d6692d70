"""Facts from the log about recipients, jobs and runs, each kept in memory by following one type of event."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar
from uuid import UUID

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import Event, JobDeleted, MailBounced, RecipientUnsubscribed, RunCancelled
from nightmail_common.contract.subjects import events_named
from nightmail_common.service.service import Service

EventT = TypeVar("EventT", bound=Event)


class LogRecord(Generic[EventT]):
    """Follows the events of one type; an event takes effect within milliseconds, and one that cannot be read is passed over.

    Args:
        consumer: the record's name, for its background task and the metric of unreadable events.
        key: returns what an event is about.
    """

    def __init__(self, log: EventLog, kind: type[EventT], consumer: str, key: Callable[[EventT], Hashable]) -> None:
        self._log = log
        self._kind = kind
        self._consumer = consumer
        self._key = key
        self._subjects = [events_named(kind.name)]
        self._sequences: dict[Hashable, int] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._sequences

    def has_before(self, key: Hashable, sequence: int) -> bool:
        """Return whether the log has an event about `key` before this sequence."""
        return self._sequences.get(key, sequence) < sequence

    async def begin(self, service: Service) -> None:
        """Read all events up to now, and further ones until the service stops."""
        service.background(self._follow(await self.catch_up()), self._consumer)

    async def catch_up(self) -> int:
        """Read all events up to now; return the sequence of the last one of the log."""
        until = await self._log.last_sequence()
        async for batch in self._log.replay(self._subjects):
            self._apply(batch)
        return until

    async def _follow(self, after: int) -> None:
        async for batch in self._log.follow(self._subjects, after=after):
            self._apply(batch)

    def _apply(self, batch: list[StoredEvent]) -> None:
        for stored in batch:
            event = readable(stored, self._consumer)
            if isinstance(event, self._kind):
                self._sequences[self._key(event)] = stored.sequence


class Unsubscribes(LogRecord[RecipientUnsubscribed]):
    """The recipients who unsubscribed from a job."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(
            log, RecipientUnsubscribed, "unsubscribes", lambda event: (event.job_id, event.address.casefold())
        )

    def subscribed(self, job_id: UUID, recipients: Iterable[str]) -> tuple[str, ...]:
        """Return the recipients who have not unsubscribed, each once."""
        return tuple(one for one in dict.fromkeys(recipients) if (job_id, one.casefold()) not in self)


def deleted_jobs(log: EventLog) -> LogRecord[JobDeleted]:
    """Return a record of the ids of deleted jobs, whose waiting mails are not sent."""
    return LogRecord(log, JobDeleted, "deleted jobs", lambda event: event.job_id)


def cancelled_runs(log: EventLog) -> LogRecord[RunCancelled]:
    """Return a record of the ids of cancelled runs, which are not mailed.

    The log refuses the outcome of a cancelled run for an hour, its duplicate window. A runner that was cut off for longer
    still publishes one.
    """
    return LogRecord(log, RunCancelled, "cancelled runs", lambda event: event.run_id)


def bounced_recipients(log: EventLog) -> LogRecord[MailBounced]:
    """Return a record of the addresses, in lower case, whose mail of any job came back: they get no mail about that."""
    return LogRecord(log, MailBounced, "bounced recipients", lambda event: event.address.casefold())
