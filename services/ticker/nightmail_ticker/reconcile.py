"""Reconciles the due times with the log: publishes those that came due while no ticker published them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_ticker.clock import Clock
from nightmail_ticker.jobs import JobProjection
from nightmail_ticker.lease import Term
from nightmail_ticker.plan import Decision, ScheduledJob
from nightmail_ticker.publish import DueTimePublisher
from nightmail_ticker.runs import RunStates

#: Late runs wait while this many runs are queued or running, so that what falls due now finds a short queue.
MAX_RUNNING = 100
LATE_RUNS_STEP = 50
#: Then the next late runs go out anyway: without a runner no run ends, and every due time must get its event.
MAX_WAIT_SECONDS = 10.0
#: What is published at once: a due time that comes meanwhile waits for one step.
PUBLISH_STEP = 1000
#: The lease is renewed between two steps; 100 distinct schedules take some 40 ms.
DECIDE_STEP = 100


class Reconciler:
    """Finds due times that have no event, and publishes them."""

    def __init__(self, jobs: JobProjection, runs: RunStates, publisher: DueTimePublisher, clock: Clock) -> None:
        self._jobs = jobs
        self._runs = runs
        self._publisher = publisher
        self._clock = clock

    def owes(self, job: ScheduledJob) -> bool:
        """Return whether a due time of the job has no event."""
        return self._publisher.decide(job, self._clock.now()) is not None

    def ended(self) -> list[ScheduledJob]:
        """Return the ended jobs that owe a due time, oldest first; the others are forgotten."""
        self._jobs.ended = [job for job in self._jobs.ended if self.owes(job)]
        return self._jobs.ended

    async def publish_ended(self, term: Term) -> None:
        """Publish what came due before a job was paused, deleted or given another schedule."""
        ended = self.ended()
        while ended:
            # A job that ended twice owes its older due times first.
            oldest = {job.job_id: job for job in reversed(ended)}
            ended = [job for job in ended if oldest[job.job_id] is not job]
            await self._publisher.publish_due(term, oldest.values())

    async def catch_up(self, term: Term) -> None:
        """Publish all that is due: first what is on time and what gets no run, then late runs, oldest first."""
        await self.publish_ended(term)
        decisions = await self._decide_all()
        late_runs = [decision for decision in decisions if decision.late and decision.skip is None]
        at_once = [decision for decision in decisions if not (decision.late and decision.skip is None)]
        for start in range(0, len(at_once), PUBLISH_STEP):
            await self._publish(term, at_once[start : start + PUBLISH_STEP])
        late_runs.sort(key=lambda decision: decision.due.at)
        for start in range(0, len(late_runs), LATE_RUNS_STEP):
            with suppress(TimeoutError):
                async with asyncio.timeout(MAX_WAIT_SECONDS):
                    await self._runs.wait_for_fewer_running(MAX_RUNNING)
            raise_if_cancelled()
            await self._publish(term, late_runs[start : start + LATE_RUNS_STEP])

    async def _decide_all(self) -> list[Decision]:
        decisions = []
        now = self._clock.now()
        for number, job in enumerate(list(self._jobs.active())):
            if number % DECIDE_STEP == 0:
                await asyncio.sleep(0)
            if (decision := self._publisher.decide(job, now)) is not None:
                decisions.append(decision)
        return decisions

    async def _publish(self, term: Term, decisions: Sequence[Decision]) -> None:
        """Publish the due times of these jobs as they are now: some may have been changed, paused or deleted."""
        jobs = [job for decision in decisions if (job := self._jobs.current(decision.job)) is not None]
        await self._publisher.publish_due(term, jobs)
