"""What the log says of each job's runs: the last due time served, the last request, and what still runs."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import nats.errors
from nats.js.api import Header

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.subjects import events_named, job_token
from nightmail_ticker.jobs import ScheduledJob

REQUESTED = "run-requested"
OUTCOMES = ("run-skipped", "result-ready", "run-failed")
SUBJECTS = tuple(events_named(name) for name in (REQUESTED, *OUTCOMES))
#: On what the ticker publishes: the due time and the job's id. Spares every ticker the reading of whole requests.
DUE_HEADER = "Nightmail-Due"
#: So many subjects in one consumer's filter are still quick for the server.
LOOK_BACK_SUBJECTS = 200
#: The broker's clock, which dates what is stored, may be so far behind the ticker's.
CLOCK_SKEW = timedelta(minutes=5)
FOLLOW_TIMEOUT_SECONDS = 5.0


@dataclass(slots=True)
class JobRuns:
    """`sequence` of the last request on the job's subject; `running`: the ids of runs that have not ended."""

    sequence: int = 0
    running: frozenset[str] = frozenset()


_NONE = JobRuns()


class Runs:
    """Kept up to date by `apply`, in whatever order and however often an event comes."""

    def __init__(self) -> None:
        self._by_name: dict[str, JobRuns] = {}
        self._served: dict[str, datetime] = {}
        self._hidden: set[str] = set()
        self._position = 0
        self._moved = asyncio.Condition()
        self._holders = 0
        self._unheld = asyncio.Event()
        self._unheld.set()

    def served(self, job: ScheduledJob) -> datetime | None:
        """Return the last due time of the job that got a run or an event that says why not."""
        return self._served.get(job.job_id)

    def last_request(self, job_name: str) -> int:
        """Return the sequence of the last request of a run of the job, whoever made it; 0 if there is none."""
        return self._by_name.get(job_name, _NONE).sequence

    def still_runs(self, job_name: str) -> bool:
        return bool(self._by_name.get(job_name, _NONE).running)

    def apply(self, stored: StoredEvent) -> None:
        """Take an event of a run in; its headers are enough."""
        run_id = stored.headers.get(Header.MSG_ID.value, "").partition(".")[0]
        due, _, job_id = stored.headers.get(DUE_HEADER, "").partition(" ")
        if job_id:
            self.serve(job_id, datetime.fromisoformat(due))
        if stored.name == REQUESTED:
            self.request(stored.job_name, run_id, stored.sequence)
            (self._hidden.discard if job_id else self._hidden.add)(stored.job_name)
        elif (runs := self._by_name.get(stored.job_name)) is not None:
            runs.running -= {run_id}

    def serve(self, job_id: str, due: datetime) -> None:
        self._served[job_id] = max(due, self._served.get(job_id, due))

    def request(self, job_name: str, run_id: str, sequence: int) -> None:
        runs = self._by_name.setdefault(job_name, JobRuns())
        if sequence > runs.sequence:
            runs.sequence = sequence
            runs.running |= {run_id}

    def forget_request(self, job_name: str) -> None:
        """The log holds no request of the job any more: erased, or past its retention."""
        self._by_name.pop(job_name, None)

    async def load(self, log: EventLog, jobs: Iterable[ScheduledJob], now: datetime) -> int:
        """Read how things stand from the last event of each kind and job; return where `follow` goes on."""
        self._position = await log.last_sequence()
        async for batch in log.replay(SUBJECTS, last_per_subject=True, headers_only=True):
            for stored in batch:
                self.apply(stored)
        position = self._position
        await self._look_back(log, list(jobs), now)
        return position

    async def _look_back(self, log: EventLog, jobs: Sequence[ScheduledJob], now: datetime) -> None:
        # A request by hand hides the last scheduled one: whether the job's latest due time is served stands behind it.
        hidden = [
            (f"runs.{job_token(job.job_name)}.{REQUESTED}", due)
            for job in jobs
            if job.job_name in self._hidden and (due := job.schedule.last_due(job.since, now)) is not None
        ]
        for start in range(0, len(hidden), LOOK_BACK_SUBJECTS):
            subjects, dues = zip(*hidden[start : start + LOOK_BACK_SUBJECTS], strict=True)
            async for batch in log.replay(subjects, since=min(dues) - CLOCK_SKEW, headers_only=True):
                for stored in batch:
                    self.apply(stored)
        # The end of an earlier run that came later hides the end of the last one: a job would seem to run for ever.
        running = [job.job_name for job in jobs if job.overlap == "skip" and self.still_runs(job.job_name)]
        for start in range(0, len(running), LOOK_BACK_SUBJECTS):
            names = running[start : start + LOOK_BACK_SUBJECTS]
            after = min(self.last_request(name) for name in names)
            subjects = tuple(f"runs.{job_token(name)}.{outcome}" for name in names for outcome in OUTCOMES)
            async for batch in log.replay(subjects, after=after, headers_only=True):
                for stored in batch:
                    self.apply(stored)

    async def follow(self, log: EventLog, after: int) -> None:
        """Take in what comes, for ever."""
        async for batch in log.follow(SUBJECTS, after=after, headers_only=True):
            await self._unheld.wait()
            for stored in batch:
                self.apply(stored)
            async with self._moved:
                self._position = batch[-1].sequence
                self._moved.notify_all()

    async def followed_to(self, sequence: int) -> None:
        """Wait until `follow` has taken in the event of that sequence.

        Raises:
            nats.errors.TimeoutError: the log did not deliver it.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(FOLLOW_TIMEOUT_SECONDS), self._moved:
                await self._moved.wait_for(lambda: self._position >= sequence)
                return
        raise nats.errors.TimeoutError

    async def fewer_running_than(self, limit: int) -> None:
        """Wait until fewer runs than that have been requested and have not ended."""
        async with self._moved:
            await self._moved.wait_for(lambda: sum(len(runs.running) for runs in self._by_name.values()) < limit)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put `follow` off inside: a burst must not compete with the reading of its own echo."""
        self._holders += 1
        self._unheld.clear()
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._unheld.set()
