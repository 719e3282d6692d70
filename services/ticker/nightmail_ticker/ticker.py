"""The ticker: it follows the log all the time, and publishes due times during its terms of the lease."""

import asyncio
import gc
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.subjects import JOB_EVENTS
from nightmail_ticker import metrics
from nightmail_ticker.clock import Clock
from nightmail_ticker.jobs import JobProjection
from nightmail_ticker.lease import Lease, Term
from nightmail_ticker.plan import ScheduledJob
from nightmail_ticker.publish import DueTimePublisher, PreparedBatch
from nightmail_ticker.reconcile import Reconciler
from nightmail_ticker.runs import RunStates
from nightmail_ticker.triggers import PREPARE_LEAD, JobGroup, Triggers, jobs_of

#: A timer does not notice that the clock is set; a poll does.
CLOCK_POLL_SECONDS = 0.5
CLOCK_JUMP_SECONDS = 0.5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

logger = structlog.get_logger()


class Ticker:
    """Turns due times into run requests, as one of any number of tickers on the same log."""

    def __init__(self, log: EventLog, lease: Lease, clock: Clock) -> None:
        self._log = log
        self._lease = lease
        self._clock = clock
        self._term = Term(until=0.0)
        self._jobs = JobProjection()
        self._runs = RunStates()
        self._publisher = DueTimePublisher(log, self._runs, clock)
        self._reconciler = Reconciler(self._jobs, self._runs, self._publisher, clock)
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._triggers = Triggers(self._scheduler, clock, self._schedule_batch)
        self._batches: dict[datetime, list[JobGroup]] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._catching_up: asyncio.Task[None] | None = None

    @property
    def leads(self) -> bool:
        """Whether this ticker holds the lease."""
        return self._term.active

    async def load(self) -> tuple[int, int]:
        """Read the log; return the sequences from which to follow the jobs and the runs."""
        gc.disable()  # all objects that are read stay in use
        jobs_position = 0
        async for batch in self._log.replay((JOB_EVENTS,)):
            for stored in batch:
                self._jobs.apply(stored)
                jobs_position = stored.sequence
        self._jobs.clamp_since(self._clock.now())
        runs_position = await self._runs.load(self._log, self._jobs.active(), self._clock.now())
        if ahead := self._runs.count_ahead(self._clock.now()):
            logger.warning("clock_was_ahead", due_times=ahead)
        self._reconciler.ended()
        for job in self._jobs.active():
            self._triggers.add(job)
        # Frozen objects are not collected again: a full collection over 100,000 jobs stops everything for 0.3 s.
        gc.collect()
        gc.freeze()
        gc.enable()
        metrics.JOBS.set_function(self._jobs.count_active)
        metrics.SCHEDULES.set_function(lambda: len(self._triggers))
        metrics.AHEAD.set_function(lambda: self._runs.count_ahead(self._clock.now()))
        metrics.LEADS.set_function(lambda: self.leads)
        logger.info("ticker_ready", jobs=self._jobs.count_active())
        return jobs_position, runs_position

    async def run(self, jobs_position: int, runs_position: int) -> None:
        """Follow the log and publish due times, until cancelled."""
        self._scheduler.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._runs.follow(self._log, runs_position))
                tasks.create_task(self._follow_jobs(jobs_position))
                tasks.create_task(self._lead())
                tasks.create_task(self._watch_clock())
        finally:
            self._scheduler.shutdown(wait=False)
            await self._lease.release(self._term)
            await self._end_work()

    async def _lead(self) -> None:
        """Hold the lease term by term. What fell due between two terms is published first thing in the second one."""
        while True:
            self._term = await self._lease.acquire()
            logger.info("lease_acquired")
            await self._separate_ahead()  # the ticker that led before may have had another clock
            self._start_catch_up()
            await self._lease.keep(self._term)
            logger.warning("lease_term_ended")
            await self._end_work()

    async def _schedule_batch(self, group: JobGroup) -> None:
        """Publish a group's next due time together with all other groups that are due at that moment."""
        due = group.timetable.next_due(self._clock.now())
        if due is None or self._is_far(due):
            self._publish([group])  # this process was suspended until after the due time
        elif due in self._batches:
            self._batches[due].append(group)
        else:
            groups = self._batches[due] = [group]
            try:
                await asyncio.sleep(0)  # the triggers of the other groups fire in the same iteration of the loop
                prepared = await self._publisher.prepare(self._term, jobs_of(groups), due)
                while (seconds := self._clock.seconds_until(due)) > 0:
                    if self._is_far(due):
                        return  # the clock was set back, and all triggers were rescheduled
                    await asyncio.sleep(min(seconds, CLOCK_POLL_SECONDS))
            finally:
                del self._batches[due]
            self._publish(groups, prepared)

    def _is_far(self, due: datetime) -> bool:
        return self._clock.seconds_until(due) > PREPARE_LEAD.total_seconds() + CLOCK_POLL_SECONDS

    def _publish(self, groups: list[JobGroup], prepared: list[PreparedBatch] | None = None) -> None:
        self._start(self._publisher.publish_due(self._term, jobs_of(groups), prepared or ()))

    async def _follow_jobs(self, after: int) -> None:
        async for batch in self._log.follow((JOB_EVENTS,), after=after):
            for stored in batch:
                self._change_job(stored)

    def _change_job(self, stored: StoredEvent) -> None:
        before, after = self._jobs.apply(stored)
        if before is not None:
            self._triggers.remove(before)
        if after is not None:
            self._triggers.add(after)
        # A due time can come between the change and its delivery here.
        if self._reconciler.ended() or (after is not None and self._reconciler.owes(after)):
            self._start(self._publish_changed(self._term, after))
        logger.info("job_changed", job_name=stored.job_name, change=stored.name)

    async def _publish_changed(self, term: Term, job: ScheduledJob | None) -> None:
        await self._reconciler.publish_ended(term)
        if job is not None:
            await self._publisher.publish_due(term, [job])

    async def _watch_clock(self) -> None:
        before = self._clock_offset()
        while True:
            await asyncio.sleep(CLOCK_POLL_SECONDS)
            offset = self._clock_offset()
            if abs(offset - before) > CLOCK_JUMP_SECONDS:
                logger.warning("clock_jumped", seconds=round(before - offset, 1))
                before = offset
                self._triggers.reschedule_all()
                await self._separate_ahead()
                if self._term.active:
                    self._start_catch_up()

    async def _separate_ahead(self) -> None:
        """Ignore times of jobs and due times from the future, which a clock ahead of this one wrote to the log."""
        now = self._clock.now()
        for job in self._jobs.clamp_since(now):
            self._triggers.add(job)
        separate = partial(self._runs.separate_ahead, self._log, list(self._jobs.active()), now)
        if jobs := await retry_forever(separate, "separate due times ahead"):
            logger.warning("clock_was_ahead", jobs=jobs, due_times=self._runs.count_ahead(now))

    def _clock_offset(self) -> float:
        """Return a number of seconds that changes only when the clock is set."""
        return time.monotonic() - time.time() + self._clock.machine_time(_EPOCH).timestamp()

    def _start_catch_up(self) -> None:
        self._catching_up = self._start(self._catch_up(self._term, self._catching_up))

    async def _catch_up(self, term: Term, previous: asyncio.Task[None] | None) -> None:
        if previous is not None:
            previous.cancel()
            await asyncio.wait({previous})
        await self._reconciler.catch_up(term)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work of the current term."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._end_of)
        return task

    def _end_of(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("publishing_failed", exc_info=error)

    async def _end_work(self) -> None:
        """Cancel the work of the term that has ended, and wait until it has stopped."""
        work = set(self._work)
        for task in work:
            task.cancel()
        if work:
            await asyncio.wait(work)
