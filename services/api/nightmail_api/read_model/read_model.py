"""Follows the log with the projection, and lets a command wait until its own event is applied."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import nats.errors
import structlog
from nats.js import JetStreamContext

from nightmail_api.commands.erasure import Erasure
from nightmail_api.metrics import EVENTS_APPLIED, LOG_BYTES, OLDEST_WAITING_MAIL, OLDEST_WAITING_RUN
from nightmail_api.read_model.database import DatabaseUnavailable, TablesLost
from nightmail_api.read_model.database_state import DatabaseState
from nightmail_api.read_model.event_feed import EventFeed
from nightmail_api.read_model.oldest_waiting import oldest_waiting
from nightmail_api.read_model.projection import EXPIRED_AT_ONCE, Projection, StartedOver
from nightmail_api.read_model.query_executor import QueryExecutor
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.broker.repeated_lines import RepeatedLines
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.errors import CannotStart, describe_error

#: A transaction of this many events blocks the event loop for a few milliseconds.
SLICE = 100
#: How often the log is asked for its identity and its last sequence.
POLL_INTERVAL_SECONDS = 2.0
#: How often the runs are deleted whose events the log has dropped, and the pause between two full transactions of them.
EXPIRE_SECONDS = 1.0
EXPIRE_PAUSE_SECONDS = 0.05
#: The longest time from the store of an event to its row, over a restart of the broker.
APPLY_TIMEOUT_SECONDS = 10.0

Item = TypeVar("Item")
logger = structlog.get_logger()


class NotApplied(Exception):
    """The event is stored, but this replica has not applied it in time."""


class ReadModel:
    """The projection as it follows the log.

    `applied` is the checkpoint, `last` the last sequence of the log at the last poll.
    """

    def __init__(
        self,
        log: EventLog,
        js: JetStreamContext,
        projection: Projection,
        read: QueryExecutor,
        erasure: Erasure,
        feed: EventFeed,
    ) -> None:
        self._log = log
        self._feed = feed
        self._erasure = erasure
        self._js = js
        self._projection = projection
        self._read = read
        self._write = projection.database.run_write
        self._log_id = ""
        self._caught_up = False
        self._database = DatabaseState()
        self._lines = RepeatedLines()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.applied = 0
        self.last = 0

    def reason_not_ready(self) -> str | None:
        """Return the progress while the read model catches up with the log; None once it has."""
        if not self._database.is_available():
            return "the database does not answer"
        if self._caught_up:
            return None
        if not self.last:
            return "the log has not been read yet: the broker has not answered"
        return f"catching up: {self.applied} of {self.last} events are applied"

    def database_error(self) -> str | None:
        """Return why the database does not take events; None if it does."""
        return self._database.error()

    async def run(self) -> None:
        """Catch up and follow, for ever; start over whenever the rows are of another log.

        Raises:
            CannotStart: the tables are gone or damaged. The process ends with it, and the next one creates new ones.
        """
        while True:
            raise_if_cancelled()
            try:
                await self._resume()
                await self._follow_while_same_log()
            except (nats.errors.Error, OSError) as error:
                if self._lines.is_due(text := describe_error(error)):
                    logger.warning("log_not_reachable", error=text)
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
            except TablesLost as error:
                self._discard(error)
                raise CannotStart("the tables of the read model are lost; the next start builds them again") from error
            except DatabaseUnavailable:  # logged by `DatabaseState`
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
            except StartedOver:
                logger.info("read_model_started_over_elsewhere")

    async def until(self, sequence: int, seconds: float = APPLY_TIMEOUT_SECONDS) -> None:
        """Return once an event is applied.

        Raises:
            NotApplied: it was not in time.
        """
        if self.applied >= sequence:
            return
        waiting = (sequence, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(seconds):
                await waiting[1]
        except TimeoutError:
            raise NotApplied from None
        finally:
            if waiting in self._waiting:  # the event of that sequence may never come
                self._waiting.remove(waiting)

    def _discard(self, why: TablesLost) -> None:
        logger.error("read_model_lost", error=str(why))
        self._projection.database.discard_damaged()

    async def _resume(self) -> None:
        """Resume at the checkpoint, or start over if the rows are of another log, or of a later state of this one."""
        with self._database.during("position"):
            self.applied, of_log = await self._write(self._projection.position)
        self._log_id, self.last = await self._poll()
        if of_log != self._log_id or self.applied > self.last:
            logger.info("read_model_rebuilds", checkpoint=self.applied, last=self.last)
            self._caught_up = False
            with self._database.during("start over"):
                await self._write(self._projection.start_over, self._log_id, self.last)
                self.applied, _ = await self._write(self._projection.position)

    async def _poll(self) -> tuple[str, int]:
        """Return the identity of the log and its last sequence."""
        info = await self._js.stream_info(STREAM)
        LOG_BYTES.set(info.state.bytes)
        return str(info.created), info.state.last_seq

    async def _follow_while_same_log(self) -> None:
        following, expiring = asyncio.create_task(self._follow()), asyncio.create_task(self._expire())
        tasks = (following, expiring)
        try:
            while not any(task.done() for task in tasks):
                await asyncio.wait(tasks, timeout=POLL_INTERVAL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                raise_if_cancelled()
                # Events that are applied during the poll may be newer than its answer.
                applied = self.applied
                with suppress(nats.errors.Error, OSError):
                    log_id, last = await self._poll()
                    if log_id != self._log_id or applied > last:
                        return
                    self.last = max(last, self.applied)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError, DatabaseUnavailable, StartedOver):
                    await task

    async def _expire(self) -> None:
        """Delete runs that have expired, and read as requests do: a database may refuse one and not the other."""
        while True:
            if not self._caught_up:
                await asyncio.sleep(EXPIRE_PAUSE_SECONDS)
                continue
            if self._read.lost is not None:
                raise self._read.lost
            try:
                now = datetime.now(UTC)
                with self._database.during("expire"):
                    expired = await self._write(self._projection.expire, now)
                with self._database.during("read"):
                    since = await self._read(oldest_waiting)
                for gauge, oldest in zip((OLDEST_WAITING_RUN, OLDEST_WAITING_MAIL), since, strict=True):
                    gauge.set(0 if oldest is None else max((now - oldest).total_seconds(), 0))
            except TablesLost:
                raise
            except DatabaseUnavailable:  # logged by `DatabaseState`
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
                continue
            # Paced, so that requests are answered between the transactions.
            await asyncio.sleep(EXPIRE_PAUSE_SECONDS if expired == EXPIRED_AT_ONCE else EXPIRE_SECONDS)

    async def _follow(self) -> None:
        until = self.last
        async for events in self._log.replay(after=self.applied):
            # No request is answered yet, so a whole batch makes one transaction.
            await self._apply(events, len(events))
        # The last events of the log may have expired; up to here it holds no more.
        await self._apply_slice((), up_to=until)
        if not self._caught_up:
            logger.info("read_model_caught_up", sequence=self.applied)
            self._caught_up = True
            await self._write(self._projection.database.finish_replay)
        self._feed.begin(self.applied)
        async for events in self._log.follow(after=self.applied):
            await self._apply(events, feed=self._feed)

    async def _apply(
        self, events: Sequence[StoredEvent], transaction_size: int = SLICE, feed: EventFeed | None = None
    ) -> None:
        for part in _slices(events, transaction_size):
            erased = await self._apply_slice(part)
            if feed is not None:
                feed.append([event for event in part if event.sequence not in erased], part[-1].sequence)
            EVENTS_APPLIED.inc(len(part))
            if len(events) > transaction_size:
                await asyncio.sleep(0)

    async def _apply_slice(self, events: Sequence[StoredEvent], up_to: int = 0) -> set[int]:
        """Apply events; return the sequences of those that are erased because their job was."""
        erased: set[int] = set()
        while True:
            with self._database.during("apply"):
                applied = await self._write(
                    self._projection.apply, events, log_id=self._log_id, after=self.applied, up_to=up_to
                )
            self._set_applied(applied.checkpoint)
            if (late := applied.late) is None:
                return erased
            # A replica that is killed before the deletion reads the event again.
            await self._erasure.erase_late(late)
            erased.add(late.sequence)
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
