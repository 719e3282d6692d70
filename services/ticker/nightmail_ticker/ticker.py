"""A ticker at work: it follows the log all the time, and fires while it leads."""

import asyncio
import gc
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import nats.errors
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from nightmail_common.broker.cancellation import end_if_cancelled
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.subjects import JOB_EVENTS
from nightmail_ticker import metrics
from nightmail_ticker.bursts import Bursts
from nightmail_ticker.clock import Clock
from nightmail_ticker.fire import Prepared, Requests
from nightmail_ticker.jobs import Jobs, ScheduledJob
from nightmail_ticker.leader import Lease
from nightmail_ticker.missed import Fate
from nightmail_ticker.runs import Runs
from nightmail_ticker.slots import Slots

RETRY_SECONDS = 0.5
#: Late runs go out while fewer than this many runs wait or run: what is due now finds a short queue.
CATCH_UP_RUNNING = 100
CATCH_UP_JOBS = 50
#: No longer: with no runner at work nothing ends, and every due time must get its event all the same.
CATCH_UP_WAIT_SECONDS = 10.0
#: A timer does not see that somebody set the clock.
CLOCK_LOOK_SECONDS = 1.0
CLOCK_JUMP_SECONDS = 0.5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

logger = structlog.get_logger()


class Ticker:
    """Turns due times into run requests, as one of any number of tickers on the same log."""

    def __init__(self, log: EventLog, lease: Lease, clock: Clock) -> None:
        self._log = log
        self._lease = lease
        self._clock = clock
        self._jobs = Jobs()
        self._runs = Runs()
        self._requests = Requests(log, self._runs, lambda: lease.held, clock)
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._bursts = Bursts(self._requests, clock, self._fire)
        self._slots = Slots(self._scheduler, clock, self._bursts.soon)
        self._firing: set[asyncio.Task[None]] = set()
        self._catching_up: asyncio.Task[None] | None = None

    async def load(self) -> tuple[int, int]:
        """Read how things stand from the log; return where to follow the jobs and the runs from."""
        gc.disable()  # nothing of what is read becomes garbage
        jobs_position = 0
        async for batch in self._log.replay((JOB_EVENTS,)):
            for stored in batch:
                self._jobs.apply(stored)
                jobs_position = stored.sequence
        runs_position = await self._runs.load(self._log, self._jobs.active(), self._clock.now())
        self._ended()
        for job in self._jobs.active():
            self._slots.add(job)
        # What has been read stays; a full collection over 100,000 jobs is 0.3 s in which nothing fires.
        gc.collect()
        gc.freeze()
        gc.enable()
        metrics.JOBS.set_function(self._jobs.count_active)
        metrics.SCHEDULES.set_function(lambda: len(self._slots))
        logger.info("ticker_ready", jobs=self._jobs.count_active())
        return jobs_position, runs_position

    async def run(self, jobs_position: int, runs_position: int) -> None:
        """Follow the log and fire, until cancelled."""
        self._scheduler.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._runs.follow(self._log, runs_position))
                tasks.create_task(self._follow_jobs(jobs_position))
                tasks.create_task(self._lead())
                tasks.create_task(self._watch_clock())
        finally:
            for firing in {*self._firing, self._catching_up}:
                if firing is not None:
                    firing.cancel()
            self._scheduler.shutdown(wait=False)
            await self._lease.resign()

    async def _follow_jobs(self, after: int) -> None:
        async for batch in self._log.follow((JOB_EVENTS,), after=after):
            for stored in batch:
                self._change(stored)

    def _change(self, stored: StoredEvent) -> None:
        before, after = self._jobs.apply(stored)
        if before is not None:
            self._slots.remove(before)
        if after is not None:
            self._slots.add(after)
        ended = self._ended()
        # A due time may have come between the change and the news of it.
        if self._lease.held and (ended or (after is not None and self._fate(after) is not None)):
            firing = asyncio.create_task(self._settle_change(after))
            self._firing.add(firing)
            firing.add_done_callback(self._firing.discard)
        logger.info("job_changed", job_name=stored.job_name, change=stored.name)

    async def _settle_change(self, after: ScheduledJob | None) -> None:
        await self._settle_ended()
        if after is not None:
            await self._fire([after])

    async def _settle_ended(self) -> None:
        """Give what came due before a job was paused, deleted or rescheduled, and was not served, its event."""
        ended = self._ended()
        while ended:
            oldest = {job.job_id: job for job in reversed(ended)}
            ended = [job for job in ended if oldest[job.job_id] is not job]
            await self._fire(oldest.values())

    def _ended(self) -> list[ScheduledJob]:
        self._jobs.ended = [job for job in self._jobs.ended if self._fate(job) is not None]
        return self._jobs.ended

    def _fate(self, job: ScheduledJob) -> Fate | None:
        return self._requests.fate(job, self._clock.now())

    async def _lead(self) -> None:
        while True:
            await self._lease.campaign()
            logger.info("lease_won")
            metrics.LEADS.set(1)
            self._begin_to_catch_up()
            try:
                await self._lease.keep()
            finally:
                metrics.LEADS.set(0)
                if self._catching_up is not None:
                    self._catching_up.cancel()
            logger.warning("lease_lost")

    async def _fire(self, jobs: Collection[ScheduledJob], prepared: Sequence[Prepared] = ()) -> None:
        while self._lease.held:  # whoever leads next begins with what is left
            end_if_cancelled()
            try:
                await self._requests.settle(jobs, prepared)
                return
            except (nats.errors.Error, OSError) as error:
                logger.warning("due_times_not_stored", error=str(error) or type(error).__name__)
                prepared = ()
                await asyncio.sleep(RETRY_SECONDS)

    def _begin_to_catch_up(self) -> None:
        if self._catching_up is not None:
            self._catching_up.cancel()
        self._catching_up = asyncio.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        """Settle what came due while nobody led: what is in time and what gets no run at once, late runs paced."""
        await self._settle_ended()
        now = self._clock.now()
        fates = [(job, fate) for job in self._jobs.active() if (fate := self._requests.fate(job, now)) is not None]
        await self._fire([job for job, fate in fates if not (fate.late and fate.kind == "run")])
        late = [job for job, fate in sorted(fates, key=lambda item: item[1].due.at) if fate.late and fate.kind == "run"]
        for start in range(0, len(late), CATCH_UP_JOBS):
            with suppress(TimeoutError):
                async with asyncio.timeout(CATCH_UP_WAIT_SECONDS):
                    await self._runs.fewer_running_than(CATCH_UP_RUNNING)
            end_if_cancelled()
            active = {job.job_id: job for job in self._jobs.active()}
            await self._fire(
                [active[job.job_id] for job in late[start : start + CATCH_UP_JOBS] if job.job_id in active]
            )

    async def _watch_clock(self) -> None:
        before = self._skew()
        while True:
            await asyncio.sleep(CLOCK_LOOK_SECONDS)
            skew = self._skew()
            if abs(skew - before) > CLOCK_JUMP_SECONDS:
                logger.warning("clock_jumped", seconds=round(before - skew, 1))
                before = skew
                self._slots.plan_anew()
                if self._lease.held:
                    self._begin_to_catch_up()

    def _skew(self) -> float:
        """Return what changes only when somebody sets the clock."""
        return time.monotonic() - time.time() + self._clock.machine_time(_EPOCH).timestamp()
