"""What the events of one type say, kept in memory by following the log."""

from typing import Generic, TypeVar

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import Event
from nightmail_common.contract.subjects import events_named
from nightmail_common.service.service import Service

EventT = TypeVar("EventT", bound=Event)


class LogRecord(Generic[EventT]):
    """Follows the events of one type; an event takes effect within milliseconds, and one that cannot be read is passed over.

    Args:
        consumer: the record's name, for its background task and the metric of unreadable events.
    """

    def __init__(self, log: EventLog, kind: type[EventT], consumer: str) -> None:
        self._log = log
        self._kind = kind
        self._consumer = consumer
        self._subjects = [events_named(kind.name)]

    def apply(self, event: EventT, sequence: int) -> None:
        """Take an event into the record."""
        raise NotImplementedError

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
                self.apply(event, stored.sequence)
