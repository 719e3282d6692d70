"""Keeps the projection up with the log, and lets a command wait until its own event can be read."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import nats.errors
import structlog
from nats.js import JetStreamContext

from nightmail_api.commands.erasure import Erasure
from nightmail_api.metrics import EVENTS_APPLIED
from nightmail_api.read_model.database import DatabaseAway
from nightmail_api.read_model.projection import EXPIRED_AT_ONCE, Projection, StartedOver
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.errors import describe_error

#: A transaction of this many events blocks the event loop for a few milliseconds.
SLICE = 100
#: How often the log is asked which one it is and how far it is.
LOOK_SECONDS = 2.0
#: How often rows are looked for whose events the log has dropped, and the pause between two rounds of many.
EXPIRE_SECONDS = 1.0
EXPIRE_PAUSE_SECONDS = 0.05
#: What a reader of the log needs at most for one event, with a broker that restarts meanwhile.
APPLY_TIMEOUT_SECONDS = 10.0

Item = TypeVar("Item")
logger = structlog.get_logger()


class NotApplied(Exception):
    """The event is stored, but this replica's read model has not come to it in time."""


class ReadModel:
    """The projection as it follows the log.

    `applied` is the sequence up to which it can be read, `last` the log's own last sequence when it was last asked.
    """

    def __init__(self, log: EventLog, js: JetStreamContext, projection: Projection, erasure: Erasure) -> None:
        self._log = log
        self._erasure = erasure
        self._js = js
        self._projection = projection
        self._write = projection.database.run_write
        self._log_id = ""
        self._caught_up = False
        self._database_away = False
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.applied = 0
        self.last = 0

    def reason_not_ready(self) -> str | None:
        """Return how far the read model is while it catches up with the log; None once it has."""
        if self._database_away:
            return "the database does not answer"
        if self._caught_up:
            return None
        return f"catching up: {self.applied} of {self.last} events are applied"

    async def run(self) -> None:
        """Catch up and follow, for ever; begin anew whenever the log is not the one that the rows were made from."""
        while True:
            raise_if_cancelled()
            try:
                await self._begin()
                await self._follow_while_it_is_the_log()
            except (nats.errors.Error, OSError) as error:
                logger.warning("log_not_reachable", error=describe_error(error))
                await asyncio.sleep(LOOK_SECONDS)
            except DatabaseAway as error:
                await self._wait_for_database(error)
            except StartedOver:
                logger.info("read_model_started_over_elsewhere")

    async def until(self, sequence: int) -> None:
        """Return once an event can be read.

        Raises:
            NotApplied: it cannot within 10 seconds.
        """
        if self.applied >= sequence:
            return
        applied = asyncio.get_running_loop().create_future()
        self._waiting.append((sequence, applied))
        try:
            async with asyncio.timeout(APPLY_TIMEOUT_SECONDS):
                await applied
        except TimeoutError:
            raise NotApplied from None

    async def _begin(self) -> None:
        """Go on where the rows are, or begin anew where they are not of this log, or of what it was before."""
        self.applied, of_log = await self._write(self._projection.position)
        self._log_id, self.last = await self._look()
        if of_log != self._log_id or self.applied > self.last:
            logger.info("read_model_rebuilds", checkpoint=self.applied, last=self.last)
            self._caught_up = False
            await self._write(self._projection.start_over, self._log_id, self.last)
            self.applied, _ = await self._write(self._projection.position)
        self._database_away = False

    async def _look(self) -> tuple[str, int]:
        """Return which log it is, and its last sequence."""
        info = await self._js.stream_info(STREAM)
        return str(info.created), info.state.last_seq

    async def _follow_while_it_is_the_log(self) -> None:
        following = asyncio.create_task(self._follow())
        try:
            while not (await asyncio.wait({following}, timeout=LOOK_SECONDS))[0]:
                raise_if_cancelled()
                # What is applied while the log is being asked may be behind its answer.
                applied = self.applied
                with suppress(nats.errors.Error, OSError):
                    log_id, last = await self._look()
                    if log_id != self._log_id or applied > last:
                        return
                    self.last = max(last, self.applied)
            following.result()
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError, DatabaseAway, StartedOver):
                await following

    async def _wait_for_database(self, error: DatabaseAway) -> None:
        self._database_away = True
        logger.warning("database_not_reachable", error=str(error))
        await asyncio.sleep(LOOK_SECONDS)

    async def _expire(self) -> None:
        while True:
            try:
                expired = await self._write(self._projection.expire, datetime.now(UTC))
            except DatabaseAway as error:
                await self._wait_for_database(error)
                continue
            self._database_away = False
            # Paced: what many runs of one minute leave goes over many, and requests are answered in between.
            await asyncio.sleep(EXPIRE_PAUSE_SECONDS if expired == EXPIRED_AT_ONCE else EXPIRE_SECONDS)

    async def _follow(self) -> None:
        until = self.last
        async for events in self._log.replay(after=self.applied):
            # Nobody is answered yet: as many as were read at once, for the fewest writes.
            await self._apply(events, len(events))
        # The last events of the log may be gone (their time was over): nothing is left to read up to here.
        await self._apply_slice((), up_to=until)
        if not self._caught_up:
            logger.info("read_model_caught_up", sequence=self.applied)
            self._caught_up = True
            await self._write(self._projection.drop_older_tables)
        expiring = asyncio.create_task(self._expire())
        try:
            async for events in self._log.follow(after=self.applied):
                await self._apply(events)
        finally:
            expiring.cancel()

    async def _apply(self, events: Sequence[StoredEvent], at_once: int = SLICE) -> None:
        for part in _slices(events, at_once):
            await self._apply_slice(part)
            EVENTS_APPLIED.inc(len(part))
            if len(events) > at_once:
                await asyncio.sleep(0)

    async def _apply_slice(self, events: Sequence[StoredEvent], up_to: int = 0) -> None:
        while True:
            applied = await self._write(
                self._projection.apply, events, log_id=self._log_id, after=self.applied, up_to=up_to
            )
            self._set_applied(applied.checkpoint)
            if (late := applied.late) is None:
                return
            # Whoever is killed before it is gone reads it once more.
            await self._erasure.erase_late(late)
            events, up_to = [event for event in events if event.sequence > late.sequence], max(up_to, late.sequence)

    def _set_applied(self, sequence: int) -> None:
        self.applied = sequence
        self.last = max(self.last, sequence)
        still_waiting = []
        for wanted, applied in self._waiting:
            if applied.done():
                continue
            if wanted <= sequence:
                applied.set_result(None)
            else:
                still_waiting.append((wanted, applied))
        self._waiting = still_waiting


def _slices(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
