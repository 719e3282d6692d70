"""Publishes due times: in atomic batches, one by one only where the log refuses a batch.

Two tickers may publish the same due time: one was suspended in its term and resumes when the other has the next term.
The ticker that stores first wins. The loser is refused by either of two rules of the log: the message id is the run's id, the
same on every ticker (for an hour, the duplicate window); and a request expects the last request of its job that the
ticker knows to be the last one (for ever). The loser then reads on in the log and decides again.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from nightmail_common.broker.batch import Batch
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.log import BatchRefused, EventLog, WrongLastSequence
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.broker.streams import DUPLICATE_WINDOW
from nightmail_common.broker.tracing import record_request
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.subjects import events_named
from nightmail_ticker import metrics
from nightmail_ticker.clock import Clock
from nightmail_ticker.lease import Term
from nightmail_ticker.messages import DueTimeMessages
from nightmail_ticker.plan import Decision, ScheduledJob, decide
from nightmail_ticker.runs import CLOCK_SKEW, REQUESTED, RunStates

#: While the log stores some, the next are made. The server takes 50 batches at once (ADR-50).
BATCHES_IN_FLIGHT = 16
#: What is made before a due time: 35,000 requests of usual size. More is made while these are sent.
MAX_PREPARED_BYTES = 64 << 20
#: Other work waits no longer than for this many messages to be made (3 ms).
PREPARE_STEP = 50
#: Preparation stops this long before the due time, so that it does not delay it.
PREPARE_STOP_SECONDS = 0.1
#: A due time must get its event: every error of the broker is retried, until the term ends.
RETRY_INTERVAL_SECONDS = 0.5

logger = structlog.get_logger()


@dataclass
class PreparedBatch:
    """An atomic batch, and the decision of each message in it."""

    decisions: list[Decision] = field(default_factory=list)
    batch: Batch = field(default_factory=Batch)


class DueTimePublisher:
    """Publishes an event for every due time: a run request, or a skip with its reason."""

    def __init__(self, log: EventLog, runs: RunStates, clock: Clock) -> None:
        self._log = log
        self._runs = runs
        self._clock = clock
        # The duplicate window keeps the message ids of all runs, even of those that have expired.
        self._remembered = max(log.run_retention - CLOCK_SKEW, DUPLICATE_WINDOW)
        self._messages = DueTimeMessages(log)
        self._publishing = asyncio.Lock()

    def decide(self, job: ScheduledJob, now: datetime) -> Decision | None:
        return decide(job, self._runs.state_of(job), now, remembered=self._remembered)

    async def prepare(self, term: Term, jobs: Sequence[ScheduledJob], due: datetime) -> list[PreparedBatch]:
        """Make the batches of a future due time, as many as there is time and memory for."""
        prepared = [PreparedBatch()]
        size_bytes = 0
        for start in range(0, len(jobs), PREPARE_STEP):
            await asyncio.sleep(0)
            late = self._clock.seconds_until(due) < PREPARE_STOP_SECONDS
            if late or size_bytes > MAX_PREPARED_BYTES or not term.active:
                break
            for decision in self._decisions(jobs[start : start + PREPARE_STEP], due):
                if prepared[-1].batch.is_full:
                    size_bytes += prepared[-1].batch.size_bytes
                    prepared.append(PreparedBatch())
                self._add(prepared[-1], decision, due)
        return prepared

    async def publish_due(
        self, term: Term, jobs: Collection[ScheduledJob], prepared: Sequence[PreparedBatch] = ()
    ) -> None:
        """Publish an event for each of the jobs that is due, unless the term ends first.

        Args:
            prepared: batches of `prepare` for these jobs; those that no longer hold are made again.
        """
        by_id = {job.job_id: job for job in jobs}
        while term.active:
            raise_if_cancelled()
            try:
                # A due time and a catch-up can meet at a job: the second one decides on what the first one published.
                async with self._publishing:
                    await self._publish(term, by_id, prepared)
                    by_id, prepared = self._still_due(by_id), ()
                if not by_id:
                    return
            except BROKER_ERRORS as error:
                logger.warning("due_times_not_stored", error=describe_error(error))
                prepared = ()
                await asyncio.sleep(RETRY_INTERVAL_SECONDS)

    def _still_due(self, jobs: dict[str, ScheduledJob]) -> dict[str, ScheduledJob]:
        """Return the jobs of which a late run was published, and a later due time is skipped for a holiday."""
        now = self._clock.now()
        with_calendar = (job for job in jobs.values() if job.timetable.calendar is not None)
        return {job.job_id: job for job in with_calendar if self.decide(job, now) is not None}

    async def _publish(self, term: Term, jobs: dict[str, ScheduledJob], prepared: Iterable[PreparedBatch]) -> None:
        refused = await self._publish_batches(term, jobs, prepared)
        if refused:
            # Another ticker stored them first, or this one did and lost the answer.
            last = await self._log.last_event(events_named(REQUESTED))
            if last is not None:
                await self._runs.wait_until_followed(last.sequence)
            refused = await self._publish_batches(term, {job.job_id: job for job in refused}, ())
        for job in refused:
            await self._publish_one(term, job)

    async def _publish_batches(
        self, term: Term, jobs: dict[str, ScheduledJob], prepared: Iterable[PreparedBatch]
    ) -> list[ScheduledJob]:
        """Return the jobs of the batches that the log refused."""
        free_slots = asyncio.Semaphore(BATCHES_IN_FLIGHT)
        sending: list[asyncio.Task[None]] = []
        stored: list[Decision] = []
        refused: list[ScheduledJob] = []

        async def send(ready: PreparedBatch) -> None:
            try:
                if term.active:
                    await self._store(ready)
                    stored.extend(ready.decisions)
            except BatchRefused:
                refused.extend(decision.job for decision in ready.decisions)
            finally:
                free_slots.release()

        with self._runs.follow_paused():
            try:
                for ready in self._batches(jobs, prepared):
                    # No more is made than can be in flight: 100,000 requests are 200 MB.
                    await free_slots.acquire()
                    sending.append(asyncio.create_task(send(ready)))
                    await asyncio.sleep(0)
                errors = [error for error in await asyncio.gather(*sending, return_exceptions=True) if error]
            finally:
                for task in sending:
                    task.cancel()
        self._report(stored)
        if errors:
            raise errors[0]
        return refused

    def _batches(self, jobs: dict[str, ScheduledJob], prepared: Iterable[PreparedBatch]) -> Iterator[PreparedBatch]:
        now = self._clock.now()
        remaining = dict(jobs)
        for ready in prepared:
            if ready.decisions and self._holds(ready, jobs):
                for decision in ready.decisions:
                    del remaining[decision.job.job_id]
                yield ready
        ready = PreparedBatch()
        for decision in self._decisions(remaining.values(), now):
            if ready.batch.is_full:
                yield ready
                ready = PreparedBatch()
            self._add(ready, decision, now)
        if ready.decisions:
            yield ready

    def _holds(self, ready: PreparedBatch, jobs: dict[str, ScheduledJob]) -> bool:
        """Return whether all that the batch was decided on is still so."""
        return all(
            jobs.get(decision.job.job_id) is decision.job and self._runs.state_of(decision.job) == decision.state
            for decision in ready.decisions
        )

    def _decisions(self, jobs: Iterable[ScheduledJob], now: datetime) -> Iterator[Decision]:
        return (decision for job in jobs if (decision := self.decide(job, now)) is not None)

    def _add(self, ready: PreparedBatch, decision: Decision, now: datetime) -> None:
        ready.decisions.append(decision)
        ready.batch.add(self._messages.of(decision, now))

    async def _store(self, ready: PreparedBatch) -> None:
        last = await self._log.send(ready.batch)
        ready.batch = Batch()  # frees its bytes
        for sequence, decision in enumerate(ready.decisions, start=last - len(ready.decisions) + 1):
            self._record(decision, sequence)

    async def _publish_one(self, term: Term, job: ScheduledJob) -> None:
        while term.active and (decision := self.decide(job, self._clock.now())) is not None:
            raise_if_cancelled()
            message = self._messages.of(decision, self._clock.now())
            try:
                stored = await self._log.publish_message(message)
            except WrongLastSequence:
                # Another ticker's request or a manual one was stored first. Decide again with all that is before it.
                last = await self._log.last_event(message.subject)
                if last is None:
                    self._runs.forget_requests(job.job_name)
                else:
                    await self._runs.wait_until_followed(last.sequence)
                    self._runs.apply(last)
            else:
                self._record(decision, 0 if stored.duplicate else stored.sequence)
                if not stored.duplicate:
                    self._report([decision])

    def _record(self, decision: Decision, sequence: int) -> None:
        self._runs.record_fired(decision.job.job_id, decision.due.at)
        if decision.skip is None:
            self._runs.record_request(decision.job.job_name, decision.run_id, sequence)

    def _report(self, decisions: Sequence[Decision]) -> None:
        if not decisions:
            return
        now = self._clock.now()
        for decision in decisions:
            metrics.LATENESS.observe(max(0.0, (now - decision.due.at).total_seconds()))
            if decision.skip is None:
                record_request(decision.run_id, decision.due.at, decision.job.job_name, "schedule")
            metrics.DUE_TIMES.labels(decision.skip or ("late_run" if decision.late else "run")).inc()
            if decision.late or decision.skip is not None:
                logger.info(
                    "due_time_missed" if decision.late else "run_skipped",
                    job_name=decision.job.job_name,
                    due=decision.due.at.isoformat(),
                    skip=decision.skip,
                    missed_before=decision.due.missed_before,
                )
        latest = max(decision.due.at for decision in decisions)
        logger.info(
            "due_times_published",
            jobs=len(decisions),
            runs=sum(decision.skip is None for decision in decisions),
            due=latest.astimezone(UTC).isoformat(),
            lateness_ms=round((now - latest).total_seconds() * 1000),
        )
