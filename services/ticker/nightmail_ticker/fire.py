"""Due times become run requests: in atomic batches, one by one only where a batch is refused.

Each request of a due time rests on three rules of the log, any of which is enough for one of two tickers to lose:
its message id is the run's id, the same on every ticker (for an hour, the log's duplicate window); it expects the
last request of the job that its ticker knows to be the last (for ever); and a ticker looks at the log when it lost.
"""

import asyncio
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
import uuid_utils.compat
from nats.js.api import Header

from nightmail_common.events import RunRequested, RunSkipped
from nightmail_common.log import BatchRefused, EventLog, Message, WrongLastSequence
from nightmail_common.run import scheduled_run_id
from nightmail_common.subjects import job_token
from nightmail_ticker.jobs import ScheduledJob
from nightmail_ticker.missed import Fate, fate
from nightmail_ticker.runs import DUE_HEADER, REQUESTED, Runs

#: Measured: larger batches are not faster.
BATCH = 500
#: While the log stores one batch the next is made. The server takes 50 at once (ADR-50).
BATCHES_IN_FLIGHT = 4

Clock = Callable[[], datetime]

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Decision:
    job: ScheduledJob
    fate: Fate
    run_id: str


class Requests:
    """Gives every due time its event.

    Args:
        leads: whether this ticker may fire; asked again before every batch.
        clock: what time it is (aware).
    """

    def __init__(self, log: EventLog, runs: Runs, leads: Callable[[], bool], clock: Clock) -> None:
        self._log = log
        self._runs = runs
        self._leads = leads
        self._clock = clock
        self._in_flight = asyncio.Semaphore(BATCHES_IN_FLIGHT)

    def fate(self, job: ScheduledJob, now: datetime) -> Fate | None:
        return fate(job, self._runs.served(job), now, still_runs=self._runs.still_runs(job.job_name))

    async def settle(self, jobs: Collection[ScheduledJob]) -> None:
        """Request or skip a run for each job that is due.

        Raises:
            nats.errors.Error: the log did not answer; settling again is safe.
        """
        now = self._clock()
        decisions = [self._decision(job, fate) for job in jobs if (fate := self.fate(job, now)) is not None]
        if not decisions:
            return
        batches = [decisions[start : start + BATCH] for start in range(0, len(decisions), BATCH)]
        with self._runs.held():
            answers = await asyncio.gather(*map(self._store, batches), return_exceptions=True)
        for batch, answer in zip(batches, answers, strict=True):
            if isinstance(answer, BatchRefused):
                for decision in batch:
                    await self._settle_one(decision.job)
            elif answer is not None:
                raise answer
        self._log_decisions(decisions)

    def _decision(self, job: ScheduledJob, fate: Fate) -> Decision:
        return Decision(job, fate, str(scheduled_run_id(UUID(job.job_id), fate.due.at)))

    async def _store(self, decisions: list[Decision]) -> None:
        async with self._in_flight:
            if not self._leads():
                return
            last = await self._log.publish_batch(self._messages(decisions))
        for sequence, decision in enumerate(decisions, start=last - len(decisions) + 1):
            self._take_in(decision, sequence)

    async def _settle_one(self, job: ScheduledJob) -> None:
        while self._leads() and (fate := self.fate(job, self._clock())) is not None:
            decision = self._decision(job, fate)
            (message,) = self._messages([decision])
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

    def _take_in(self, decision: Decision, sequence: int) -> None:
        self._runs.serve(decision.job.job_id, decision.fate.due.at)
        if decision.fate.kind == "run":
            self._runs.request(decision.job.job_name, decision.run_id, sequence)

    def _messages(self, decisions: list[Decision]) -> list[Message]:
        requested = self._log.headers_of(RunRequested)
        skipped = self._log.headers_of(RunSkipped)
        return [
            self._request(decision, requested) if decision.fate.kind == "run" else _skip(decision, skipped)
            for decision in decisions
        ]

    def _request(self, decision: Decision, headers: dict[str, str]) -> Message:
        job = decision.job
        return Message(
            f"runs.{job_token(job.job_name)}.{REQUESTED}",
            request_body(decision),
            {
                **headers,
                **_own_headers(decision),
                Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(self._runs.last_request(job.job_name)),
            },
        )

    def _log_decisions(self, decisions: list[Decision]) -> None:
        now = self._clock()
        for decision in decisions:
            if decision.fate.late or decision.fate.kind != "run":
                logger.info(
                    "due_time_not_served_in_time" if decision.fate.late else "run_skipped",
                    job_name=decision.job.job_name,
                    due=decision.fate.due.at.isoformat(),
                    fate=decision.fate.kind,
                    missed_before=decision.fate.due.missed_before,
                )
        latest = max(decision.fate.due.at for decision in decisions)
        logger.info(
            "due_times_settled",
            jobs=len(decisions),
            runs=sum(decision.fate.kind == "run" for decision in decisions),
            due=latest.astimezone(UTC).isoformat(),
            lateness_ms=round((now - latest).total_seconds() * 1000),
        )


def request_body(decision: Decision) -> bytes:
    """Return the JSON of a `RunRequested` around the job's own, which was made once when the job came.

    Making the event and its JSON by the model takes five times as long, which at 10,000 jobs is most of the burst.
    """
    due = decision.fate.due
    fields: dict[str, object] = {
        "job_name": decision.job.job_name,
        "run_id": decision.run_id,
        "trigger": "schedule",
        "scheduled_at": due.at.astimezone(UTC).isoformat(),
        "late": decision.fate.late,
        "missed_before": due.missed_before,
    }
    if due.first_missed_at is not None:
        fields["first_missed_at"] = due.first_missed_at.astimezone(UTC).isoformat()
    return json.dumps(fields, ensure_ascii=False)[:-1].encode() + b',"job":' + decision.job.json + b"}"


def _skip(decision: Decision, headers: dict[str, str]) -> Message:
    job, due = decision.job, decision.fate.due
    event = RunSkipped(
        job_name=job.job_name,
        run_id=UUID(decision.run_id),
        job_id=UUID(job.job_id),
        job_version=job.version,
        scheduled_at=due.at.astimezone(UTC),
        reason="overlap" if decision.fate.kind == "overlap" else "missed",
        detail="the previous run had not ended"
        if decision.fate.kind == "overlap"
        else f"nothing ran at the due time; noticed {decision.fate.late_seconds:.0f} s late",
        missed_before=due.missed_before,
        first_missed_at=None if due.first_missed_at is None else due.first_missed_at.astimezone(UTC),
    )
    body = event.model_dump_json(exclude_none=True).encode()
    return Message(f"runs.{job_token(job.job_name)}.{RunSkipped.name}", body, headers | _own_headers(decision))


def _own_headers(decision: Decision) -> dict[str, str]:
    due = decision.fate.due.at.astimezone(UTC).isoformat()
    return {
        "ce-id": str(uuid_utils.compat.uuid7()),
        Header.MSG_ID.value: decision.run_id,
        DUE_HEADER: f"{due} {decision.job.job_id}",
    }
