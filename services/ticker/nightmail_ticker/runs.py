"""The projection of the runs: the last due time fired, the last request, and what still runs, as the log says."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import nats.errors
from nats.js.api import Header

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import report_unreadable
from nightmail_common.contract.envelope import AHEAD_TOLERANCE, DUE_HEADER, StoredEvent
from nightmail_common.contract.subjects import events_named, job_token
from nightmail_ticker.plan import RunState, ScheduledJob

REQUESTED = "run-requested"
SKIPPED = "run-skipped"
OUTCOMES = (SKIPPED, "run-cancelled", "result-ready", "run-failed")
SUBJECTS = tuple(events_named(name) for name in (REQUESTED, *OUTCOMES))
#: The server filters this many subjects in one consumer without a delay.
MAX_FILTER_SUBJECTS = 200
#: How far the broker's clock, which dates events, may be behind the ticker's.
CLOCK_SKEW = timedelta(minutes=5)
#: Longer than the ordered consumer needs to start again after a fault.
FOLLOW_TIMEOUT_SECONDS = 5.0


@dataclass(slots=True)
class JobRuns:
    """`last_request`: the sequence of the last request on the job's subject; `running`: ids of runs without an outcome."""

    last_request: int = 0
    running: frozenset[str] = frozenset()


_NO_RUNS = JobRuns()
_NONE: frozenset[datetime] = frozenset()


class RunStates:
    """The state does not depend on the order of the events, nor on repeated ones."""

    def __init__(self) -> None:
        self._by_name: dict[str, JobRuns] = {}
        self._last_fired: dict[str, datetime] = {}
        self._ahead: dict[str, frozenset[datetime]] = {}
        self._last_is_manual: set[str] = set()
        self._position = 0
        self._moved = asyncio.Condition()
        self._may_follow = asyncio.Event()
        self._may_follow.set()

    def state_of(self, job: ScheduledJob) -> RunState:
        runs = self._by_name.get(job.job_name, _NO_RUNS)
        overlapping = job.overlap == "skip" and bool(runs.running)
        ahead = self._ahead.get(job.job_id, _NONE) if self._ahead else _NONE
        return RunState(self._last_fired.get(job.job_id), runs.last_request, overlapping, ahead)

    def count_ahead(self, now: datetime) -> int:
        """Return how many due times have been fired and are still to come."""
        return sum(due > now for dues in self._ahead.values() for due in dues)

    def apply(self, stored: StoredEvent) -> None:
        """Apply an event of a run; its headers are enough."""
        run_id = stored.headers.get(Header.MSG_ID.value, "").partition(".")[0]
        due, _, job_id = stored.headers.get(DUE_HEADER, "").partition(" ")
        if job_id:
            try:
                self.record_fired(job_id, datetime.fromisoformat(due).astimezone(UTC))
            except (ValueError, OverflowError):
                report_unreadable(stored, "runs", f"{DUE_HEADER} is no time")
        if stored.name == REQUESTED:
            self.record_request(stored.job_name, run_id, stored.sequence)
            (self._last_is_manual.discard if job_id else self._last_is_manual.add)(stored.job_name)
        elif (runs := self._by_name.get(stored.job_name)) is not None:
            runs.running -= {run_id}

    def record_fired(self, job_id: str, due: datetime) -> None:
        self._last_fired[job_id] = max(due, self._last_fired.get(job_id, due))

    def record_request(self, job_name: str, run_id: str, sequence: int) -> None:
        runs = self._by_name.setdefault(job_name, JobRuns())
        if sequence > runs.last_request:
            runs.last_request = sequence
            runs.running |= {run_id}

    def forget_requests(self, job_name: str) -> None:
        """The log has no request of the job any more: they were erased, or are older than the retention."""
        self._by_name.pop(job_name, None)

    async def load(self, log: EventLog, jobs: Iterable[ScheduledJob], now: datetime) -> int:
        """Read the last event of each kind and job; return the sequence to follow from."""
        self._position = position = await log.last_sequence()
        await self._replay(log, SUBJECTS, last_per_subject=True)
        await self._load_hidden(log, jobs := list(jobs), now)
        await self.separate_ahead(log, jobs, now)
        return position

    async def separate_ahead(self, log: EventLog, jobs: Iterable[ScheduledJob], now: datetime) -> int:
        """Separate the due times that a clock fired before they came, and find the last true one; return how many jobs have any.

        Such a due time gets no second run when it comes, and does not hide the due times before it.
        """
        horizon = now + AHEAD_TOLERANCE
        hidden = [job for job in jobs if (last := self._last_fired.get(job.job_id)) is not None and last > horizon]
        for start in range(0, len(hidden), MAX_FILTER_SUBJECTS // 2):
            some = hidden[start : start + MAX_FILTER_SUBJECTS // 2]
            fired = await self._fired_since_last_due(log, some, now)
            for job_id, dues in fired.items():
                self._ahead[job_id] = frozenset(due for due in dues if due > horizon)
                self._last_fired.pop(job_id)
                if true := dues - self._ahead[job_id]:
                    self._last_fired[job_id] = max(true)
        return len(hidden)

    async def _fired_since_last_due(
        self, log: EventLog, jobs: Sequence[ScheduledJob], now: datetime
    ) -> dict[str, set[datetime]]:
        """Return by job the due times that were fired from the last due time of its schedule on."""
        fired = {job.job_id: {self._last_fired[job.job_id], *self._ahead.get(job.job_id, ())} for job in jobs}
        subjects = [f"runs.{job_token(job.job_name)}.{name}" for job in jobs for name in (REQUESTED, SKIPPED)]
        last_dues = [job.timetable.last_due(job.since, now) or job.since for job in jobs]
        async for batch in log.replay(subjects, headers_only=True, since=min(last_dues) - CLOCK_SKEW):
            for stored in batch:
                due, _, job_id = stored.headers.get(DUE_HEADER, "").partition(" ")
                if job_id in fired:
                    fired[job_id].add(datetime.fromisoformat(due))
        return fired

    async def _load_hidden(self, log: EventLog, jobs: Sequence[ScheduledJob], now: datetime) -> None:
        # A manual request hides the last scheduled one, which says whether the latest due time was fired.
        hidden = [
            (f"runs.{job_token(job.job_name)}.{REQUESTED}", due)
            for job in jobs
            if job.job_name in self._last_is_manual and (due := job.timetable.last_due(job.since, now)) is not None
        ]
        for start in range(0, len(hidden), MAX_FILTER_SUBJECTS):
            subjects, dues = zip(*hidden[start : start + MAX_FILTER_SUBJECTS], strict=True)
            await self._replay(log, subjects, since=min(dues) - CLOCK_SKEW)
        # An earlier run that ended later hides the outcome of the last one: the job would seem to run for ever.
        running = [job.job_name for job in jobs if self.state_of(job).overlapping]
        for start in range(0, len(running), MAX_FILTER_SUBJECTS):
            names = running[start : start + MAX_FILTER_SUBJECTS]
            after = min(self._by_name[name].last_request for name in names)
            subjects = tuple(f"runs.{job_token(name)}.{outcome}" for name in names for outcome in OUTCOMES)
            await self._replay(log, subjects, after=after)

    async def _replay(self, log: EventLog, subjects: Sequence[str], **start: Any) -> None:
        async for batch in log.replay(subjects, headers_only=True, **start):
            for stored in batch:
                self.apply(stored)

    async def follow(self, log: EventLog, after: int) -> None:
        """Apply every event behind a sequence as it comes, until cancelled."""
        async for batch in log.follow(SUBJECTS, after=after, headers_only=True):
            await self._may_follow.wait()
            for stored in batch:
                self.apply(stored)
            async with self._moved:
                self._position = batch[-1].sequence
                self._moved.notify_all()

    async def wait_until_followed(self, sequence: int) -> None:
        """Wait until `follow` has applied the event of that sequence.

        Raises:
            nats.errors.TimeoutError: the log did not deliver it.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(FOLLOW_TIMEOUT_SECONDS), self._moved:
                await self._moved.wait_for(lambda: self._position >= sequence)
                return
        raise nats.errors.TimeoutError

    async def wait_for_fewer_running(self, limit: int) -> None:
        """Wait until fewer runs than that are queued or running."""
        async with self._moved:
            await self._moved.wait_for(lambda: sum(len(runs.running) for runs in self._by_name.values()) < limit)

    @contextmanager
    def follow_paused(self) -> Iterator[None]:
        """Pause `follow`: a burst must not compete with the reading of its own events."""
        self._may_follow.clear()
        try:
            yield
        finally:
            self._may_follow.set()
