"""Due times become run requests: in atomic batches, one by one only where a batch is refused.

Each request of a due time rests on three rules of the log, any of which is enough for one of two tickers to lose:
its message id is the run's id, the same on every ticker (for an hour, the log's duplicate window); it expects the
last request of the job that its ticker knows to be the last (for ever); and a ticker looks at the log when it lost.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import structlog

from nightmail_common.broker.batch import Batch
from nightmail_common.broker.cancellation import end_if_cancelled
from nightmail_common.broker.log import BatchRefused, EventLog, WrongLastSequence
from nightmail_common.broker.streams import DUPLICATE_WINDOW
from nightmail_common.contract.run import scheduled_run_id
from nightmail_common.contract.subjects import events_named
from nightmail_ticker import metrics
from nightmail_ticker.clock import Clock
from nightmail_ticker.jobs import ScheduledJob
from nightmail_ticker.messages import Decision, Messages
from nightmail_ticker.missed import Fate, fate
from nightmail_ticker.runs import CLOCK_SKEW, REQUESTED, Runs

#: While the log stores some the next are made. The server takes 50 at once (ADR-50).
BATCHES_IN_FLIGHT = 16
#: What is made ready before a due time: 35,000 requests of usual size. What is beyond is made while these go out.
PREPARED_BYTES = 64 << 20
#: Whatever else is due meanwhile waits no longer than for so many messages to be made (3 ms).
PREPARE_STEP = 50
#: Preparing stops then, so that nothing stands in the way of the due time itself.
PREPARED_BY_SECONDS = 0.1

logger = structlog.get_logger()


@dataclass
class Prepared:
    """A batch and what it says. `stands` for as long as the runs of its jobs are what they were when it was made."""

    decisions: list[Decision] = field(default_factory=list)
    batch: Batch = field(default_factory=Batch)


class Requests:
    """Gives every due time its event.

    Args:
        leads: whether this ticker may fire; asked again before every batch.
        clock: what time it is.
    """

    def __init__(self, log: EventLog, runs: Runs, leads: Callable[[], bool], clock: Clock) -> None:
        self._log = log
        self._runs = runs
        self._leads = leads
        self._clock = clock
        # However short the log keeps runs: within its duplicate window it knows them all by their message ids.
        self._remembered = max(log.run_retention - CLOCK_SKEW, DUPLICATE_WINDOW)
        self._messages = Messages(log)
        self._in_flight = asyncio.Semaphore(BATCHES_IN_FLIGHT)
        self._settling: set[str] = set()

    def fate(self, job: ScheduledJob, now: datetime) -> Fate | None:
        return fate(
            job,
            self._runs.served(job),
            now,
            still_runs=self._runs.still_runs(job.job_name),
            remembered=self._remembered,
        )

    async def prepare(self, jobs: Sequence[ScheduledJob], due: datetime) -> list[Prepared]:
        """Make the batches of a due time before it comes, as many as there is time and room for."""
        made = [Prepared()]
        size_bytes = 0
        for start in range(0, len(jobs), PREPARE_STEP):
            await asyncio.sleep(0)
            if not self._leads() or size_bytes > PREPARED_BYTES or self._clock.seconds_until(due) < PREPARED_BY_SECONDS:
                break
            for decision in self._decisions(jobs[start : start + PREPARE_STEP], due):
                if made[-1].batch.is_full:
                    size_bytes += made[-1].batch.size_bytes
                    made.append(Prepared())
                self._put(made[-1], decision, due)
        return made

    async def settle(self, jobs: Collection[ScheduledJob], prepared: Iterable[Prepared] = ()) -> None:
        """Request or skip a run for each job that is due.

        Args:
            prepared: what `prepare` made for this moment; what does not stand any more is made anew.

        Raises:
            nats.errors.Error: the log did not answer; settling again is safe.
        """
        # What another call is at already (a burst and a catch-up may meet) is left to it.
        waiting = {job.job_id: job for job in jobs if job.job_id not in self._settling}
        self._settling |= waiting.keys()
        try:
            refused = await self._settle_in_batches(waiting, prepared)
            if refused:
                # Another ticker got there first, or this one did and never heard so: the log knows.
                await self._follow_requests()
                refused = await self._settle_in_batches({job.job_id: job for job in refused}, ())
            for job in refused:
                await self._settle_one(job)
        finally:
            self._settling -= waiting.keys()

    async def _settle_in_batches(
        self, waiting: dict[str, ScheduledJob], prepared: Iterable[Prepared]
    ) -> list[ScheduledJob]:
        """Return the jobs of the batches that were refused."""
        now = self._clock.now()
        sent: list[tuple[Prepared, asyncio.Task[bool]]] = []
        left = dict(waiting)

        async def send(ready: Prepared) -> None:
            if ready.decisions:
                sent.append((ready, asyncio.create_task(self._store(ready))))
                await asyncio.sleep(0)
                # No more is made than can be on its way: a hundred thousand requests are 200 MB.
                if len(under_way := [task for _, task in sent if not task.done()]) >= BATCHES_IN_FLIGHT:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

        with self._runs.held():
            try:
                for ready in prepared:
                    if self._stands(ready, waiting):
                        for decision in ready.decisions:
                            del left[decision.job.job_id]
                        await send(ready)
                ready = Prepared()
                for decision in self._decisions(left.values(), now):
                    if ready.batch.is_full:
                        await send(ready)
                        ready = Prepared()
                    self._put(ready, decision, now)
                await send(ready)
                answers = await asyncio.gather(*(task for _, task in sent), return_exceptions=True)
            finally:
                for _, task in sent:
                    task.cancel()
        stored = [ready for (ready, _), answer in zip(sent, answers, strict=True) if answer is True]
        self._report([decision for ready in stored for decision in ready.decisions])
        refused: list[ScheduledJob] = []
        for (ready, _), answer in zip(sent, answers, strict=True):
            if isinstance(answer, BatchRefused):
                refused += [decision.job for decision in ready.decisions]
            elif isinstance(answer, BaseException):
                raise answer
        return refused

    def _decisions(self, jobs: Iterable[ScheduledJob], now: datetime) -> Iterable[Decision]:
        for job in jobs:
            if (fate := self.fate(job, now)) is not None:
                yield self._decision(job, fate)

    def _decision(self, job: ScheduledJob, fate: Fate) -> Decision:
        return Decision(
            job=job,
            fate=fate,
            run_id=str(scheduled_run_id(UUID(job.job_id), fate.due.at)),
            served=self._runs.served(job),
            last_request=self._runs.last_request(job.job_name),
        )

    def _put(self, ready: Prepared, decision: Decision, now: datetime) -> None:
        ready.decisions.append(decision)
        ready.batch.add(self._messages.of(decision, now))

    def _stands(self, ready: Prepared, jobs: dict[str, ScheduledJob]) -> bool:
        runs = self._runs
        return all(
            jobs.get(decision.job.job_id) is decision.job
            and runs.last_request(decision.job.job_name) == decision.last_request
            and runs.served(decision.job) == decision.served
            and (
                decision.job.overlap == "allow"
                or runs.still_runs(decision.job.job_name) == (decision.fate.kind == "overlap")
            )
            for decision in ready.decisions
        )

    async def _store(self, ready: Prepared) -> bool:
        async with self._in_flight:
            if not self._leads():
                return False
            last = await self._log.send(ready.batch)
        ready.batch = Batch()  # its bytes are not needed any more
        for sequence, decision in enumerate(ready.decisions, start=last - len(ready.decisions) + 1):
            self._take_in(decision, sequence)
        return True

    async def _settle_one(self, job: ScheduledJob) -> None:
        while self._leads() and (fate := self.fate(job, self._clock.now())) is not None:
            end_if_cancelled()
            decision = self._decision(job, fate)
            message = self._messages.of(decision, self._clock.now())
            try:
                stored = await self._log.publish_message(message)
            except WrongLastSequence:
                # Another ticker got there first, or somebody asked for a run by hand. What stands before that
                # request must be known before anything is decided anew.
                last = await self._log.last_event(message.subject)
                if last is None:
                    self._runs.forget_request(job.job_name)
                else:
                    await self._runs.followed_to(last.sequence)
                    self._runs.apply(last)
            else:
                self._take_in(decision, 0 if stored.duplicate else stored.sequence)
                if not stored.duplicate:
                    self._report([decision])

    async def _follow_requests(self) -> None:
        last = await self._log.last_event(events_named(REQUESTED))
        if last is not None:
            await self._runs.followed_to(last.sequence)

    def _take_in(self, decision: Decision, sequence: int) -> None:
        self._runs.serve(decision.job.job_id, decision.fate.due.at)
        if decision.fate.kind == "run":
            self._runs.request(decision.job.job_name, decision.run_id, sequence)

    def _report(self, decisions: list[Decision]) -> None:
        if not decisions:
            return
        now = self._clock.now()
        for decision in decisions:
            fate = decision.fate
            metrics.LATENESS.observe(max(0.0, (now - fate.due.at).total_seconds()))
            metrics.DUE_TIMES.labels("late_run" if fate.late and fate.kind == "run" else fate.kind).inc()
            if fate.late or fate.kind != "run":
                logger.info(
                    "due_time_not_served_in_time" if fate.late else "run_skipped",
                    job_name=decision.job.job_name,
                    due=fate.due.at.isoformat(),
                    fate=fate.kind,
                    missed_before=fate.due.missed_before,
                )
        latest = max(decision.fate.due.at for decision in decisions)
        logger.info(
            "due_times_settled",
            jobs=len(decisions),
            runs=sum(decision.fate.kind == "run" for decision in decisions),
            due=latest.astimezone(UTC).isoformat(),
            lateness_ms=round((now - latest).total_seconds() * 1000),
        )
