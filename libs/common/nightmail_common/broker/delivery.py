"""What a handler of a queue gets and returns, and the slots in which handlers work."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nats.aio.msg import Msg

from nightmail_common.broker.stored_messages import AckSubject


@dataclass(frozen=True)
class Ack:
    """The event is done."""


@dataclass(frozen=True)
class Retry:
    """Deliver the event again after this number of seconds."""

    after: float


@dataclass(frozen=True)
class Delivery:
    """How the queue delivered an event.

    Args:
        number: counts the event's deliveries from 1; a durable consumer that was deleted and declared again counts from 1 again.
        sequence: the event's sequence in the log.
        time: the time at which the log stored the event.
        release_slot: lets the next event be pulled although the handler continues; see `SlotPolicy`.
    """

    number: int
    sequence: int
    time: datetime
    release_slot: Callable[[], None]

    @property
    def age(self) -> timedelta:
        return datetime.now(UTC) - self.time


@dataclass(frozen=True)
class SlotPolicy:
    """How many events a process works on.

    Args:
        slots: how many events hold a slot; no event is pulled without a free one.
        release_after: a handler that takes longer, in seconds, releases its slot; None: it does so itself.
        max_detached: how many handlers may continue without a slot; further ones keep theirs.
    """

    slots: int
    release_after: float | None = None
    max_detached: int = 0


class Slots:
    """The slots of one process. A pull acquires one; the pulled event keeps it."""

    def __init__(self, policy: SlotPolicy) -> None:
        self._policy = policy
        self._free = asyncio.Semaphore(policy.slots)
        self._detached = 0

    async def acquire(self) -> None:
        await self._free.acquire()

    def release(self) -> None:
        """Free the slot of a pull that brought nothing."""
        self._free.release()

    @contextmanager
    def hold(self) -> Iterator[Callable[[], None]]:
        """Hold the slot of a pulled event; yield what frees it early, if the policy lets it."""
        detached = False

        def release() -> None:
            nonlocal detached
            if not detached and self._detached < self._policy.max_detached:
                detached = True
                self._detached += 1
                self._free.release()

        after = self._policy.release_after
        timer = None if after is None else asyncio.get_running_loop().call_later(after, release)
        try:
            yield release
        finally:
            if timer is not None:
                timer.cancel()
            if detached:
                self._detached -= 1
            else:
                self._free.release()


class EventsInProgress:
    """The events that the handlers of one process work on, each with the message that answers for it.

    The broker delivers an event again whose heartbeats it missed, for instance because it was restarted meanwhile. Where
    the event comes back to the process that works on it, the new message takes the place of the old one: the handler
    goes on, and its heartbeats and its ack belong to the latest delivery.
    """

    def __init__(self) -> None:
        # A restored log gives a sequence a second time: the timestamp distinguishes the two events.
        self._latest: dict[tuple[int, str], Msg] = {}

    def adopt(self, message: Msg) -> bool:
        """Return whether a handler works on the message's event already; then the message answers for it from now on."""
        key = _key(message)
        if key not in self._latest:
            return False
        self._latest[key] = message
        return True

    @contextmanager
    def hold(self, message: Msg) -> Iterator[None]:
        """Count the message's event as one in progress while inside."""
        key = _key(message)
        self._latest[key] = message
        try:
            yield
        finally:
            del self._latest[key]

    def latest(self, message: Msg) -> Msg:
        """Return the message that answers for the event that came with `message`."""
        return self._latest[_key(message)]


def _key(message: Msg) -> tuple[int, str]:
    ack = AckSubject.of(message)
    return ack.sequence, ack.timestamp
