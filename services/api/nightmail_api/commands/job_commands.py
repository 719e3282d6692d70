"""The commands that change jobs, request runs and cancel them.

A job's event is published with the expected sequence of the job's last event. When two replicas publish at once, the
broker accepts one event; the other replica waits until its read model has applied that event, and decides again.
A command returns when the read model has applied its own event, so that the caller reads its own write.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import nats.errors
from pydantic import Field, model_validator

from nightmail_api.access.quota import TooManyRequests
from nightmail_api.commands.erasure import Erasure
from nightmail_api.commands.script_check import ScriptCheck
from nightmail_api.http.problems import Conflict, FieldError, NotFound, NotReady, PreconditionFailed, ValidationProblem
from nightmail_api.metrics import QUOTA_REFUSALS
from nightmail_api.read_model.queries import KnownJob, Queries
from nightmail_api.read_model.query_executor import QueryExecutor
from nightmail_api.read_model.queued_runs import count_queued_of_job, count_queued_of_token
from nightmail_api.read_model.read_model import NotApplied, ReadModel
from nightmail_api.read_model.version_changes import differing_fields
from nightmail_api.retention.kept_inputs import KeptInputs
from nightmail_common.broker.log import EventLog, Expectation, Stored, WrongLastSequence
from nightmail_common.broker.tracing import TRACEPARENT, record_request, request_headers
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import (
    JobCreated,
    JobDeleted,
    JobErased,
    JobEvent,
    JobPaused,
    JobResumed,
    JobUpdated,
    RunCancelled,
    RunRequested,
)
from nightmail_common.contract.job import Job, JobFields
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.limits import MAX_QUEUED_RUNS_OF_JOB, MAX_QUEUED_RUNS_OF_TOKEN
from nightmail_common.contract.run import ENDED, manual_run_id
from nightmail_common.contract.schedule_syntax import ScheduleError
from nightmail_common.contract.subjects import job_token
from nightmail_common.contract.timetable import Timetable, timetable_json

#: A command that loses this many races in a row is answered 503: the caller retries.
MAX_ATTEMPTS = 20

_STATUS_DIFFERS = "the job is {}; POST /jobs/{{job_name}}/pause and /resume change that"
_NAME_TAKEN_HINT = "change the job with PUT /jobs/{job_name}, or with `nightmail jobs apply`"

#: What an answer has besides the fields of a definition: the service decides them. `status` is compared.
_DECIDED_FIELDS = (Job.model_fields.keys() - JobDefinition.model_fields.keys()) | {
    "last_run",
    "next_run",
    "schedule_description",
    "unsubscribed",
    "warnings",
}
#: A body with one of these is an answer, also if its user has removed others.
_FIELDS_OF_AN_ANSWER = {"job_id", "schedule_description"}


class JobChange(JobDefinition):
    """A job as a user changes it: a definition, or the answer for a job with other values.

    The fields of an answer that the service decides are not compared, since a run may end meanwhile.
    """

    status: Literal["active", "paused"] | None = Field(
        default=None, exclude=True, description="As in the answer: pause and resume change it."
    )

    @model_validator(mode="before")
    @classmethod
    def _without_what_the_service_decides(cls, body: Any) -> Any:
        if isinstance(body, dict) and not _FIELDS_OF_AN_ANSWER.isdisjoint(body):
            return {name: value for name, value in body.items() if name not in _DECIDED_FIELDS}
        return body


class JobCommands:
    """Decides on an event, publishes it, and waits until the read model has applied it.

    Any method but `create` raises `NotFound` if there is no such job or run. One with `if_match` raises `PreconditionFailed`
    if the sequence of the job's last event is not in it.
    """

    def __init__(
        self,
        log: EventLog,
        model: ReadModel,
        read: QueryExecutor,
        erasure: Erasure,
        inputs: KeptInputs,
        default_timezone: str,
        scripts: ScriptCheck,
    ) -> None:
        self._log = log
        self._erasure = erasure
        self._inputs = inputs
        self._model = model
        self._read = read
        self._default_timezone = default_timezone
        self._scripts = scripts

    async def create(self, definition: JobDefinition, actor: str) -> None:
        """Register a job.

        Raises:
            Conflict: a job of that name exists.
            ValidationProblem: the script cannot be run.
        """
        await self._scripts.check(definition.processing_script, actor)
        in_zone = definition.with_timezone_default(self._default_timezone)

        def decide(known: KnownJob | None) -> JobEvent:
            if known is not None and known.job is not None:
                raise Conflict(
                    f"there is a job named {definition.job_name!r} already",
                    errors=[FieldError(field="job_name", detail="the name is taken", hint=_NAME_TAKEN_HINT)],
                )
            now = datetime.now(UTC)
            job = in_zone.new_job(now)
            _check_schedule(job, now)
            return JobCreated(job_name=job.job_name, job_id=job.job_id, actor=actor, job=job)

        await self._decide_and_publish(definition.job_name, decide)

    async def update(self, job_name: str, definition: JobChange, actor: str, if_match: frozenset[int] | None) -> None:
        """Replace the fields of a job; the same content publishes no event.

        Raises:
            ValidationProblem: the name or the status differs, or the script cannot be run.
        """
        if definition.job_name != job_name:
            raise ValidationProblem(("job_name", f"a job keeps its name, {job_name!r}"))
        await self._scripts.check(definition.processing_script, actor)
        fields = definition.with_timezone_default(self._default_timezone).model_dump()

        def decide(known: KnownJob | None) -> JobEvent | None:
            job = existing(known, job_name, if_match)
            if known is not None and definition.status not in {None, known.status}:
                raise ValidationProblem(("status", _STATUS_DIFFERS.format(known.status)))
            changed = _next_version(job, fields)
            if not differing_fields(job, changed):
                return None
            if timetable_json(job) != timetable_json(changed):
                _check_schedule(changed, changed.updated_at)
            return JobUpdated(job_name=job_name, job_id=job.job_id, actor=actor, job=changed)

        await self._decide_and_publish(job_name, decide)

    async def roll_back(self, job_name: str, version: int, actor: str, if_match: frozenset[int] | None) -> None:
        """Give a job the content of an earlier version, as a new version with `rolled_back_to`.

        Raises:
            ValidationProblem: the job has no such version.
        """
        job_id = existing(await self._read(Queries.known_job, job_name), job_name, if_match).job_id
        found = await self._read(Queries.version, job_id, version)
        if found is None:
            raise ValidationProblem(("version", f"the job has no version {version}"))
        earlier = found[1]

        def decide(known: KnownJob | None) -> JobEvent | None:
            job = existing(known, job_name, if_match)
            if job.job_id != earlier.job_id:
                raise PreconditionFailed(f"the job {job_name!r} was deleted, and a new job has its name")
            changed = _next_version(job, {field: getattr(earlier, field) for field in JobFields.model_fields})
            if not differing_fields(job, changed):
                return None
            return JobUpdated(job_name=job_name, job_id=job.job_id, actor=actor, job=changed, rolled_back_to=version)

        await self._decide_and_publish(job_name, decide)

    async def delete(self, job_name: str, actor: str, if_match: frozenset[int] | None) -> None:
        """Delete a job; its history stays and its name is free."""

        def decide(known: KnownJob | None) -> JobEvent:
            job = existing(known, job_name, if_match)
            return JobDeleted(job_name=job_name, job_id=job.job_id, actor=actor, job_version=job.version)

        await self._decide_and_publish(job_name, decide)

    async def set_status(
        self, job_name: str, actor: str, if_match: frozenset[int] | None, status: Literal["active", "paused"]
    ) -> None:
        """Pause or resume a job; one that has the status already keeps it, and no event is published."""
        event = JobPaused if status == "paused" else JobResumed

        def decide(known: KnownJob | None) -> JobEvent | None:
            job = existing(known, job_name, if_match)
            if known is not None and known.status == status:
                return None
            return event(job_name=job_name, job_id=job.job_id, actor=actor, job_version=job.version)

        await self._decide_and_publish(job_name, decide)

    async def erase(self, job_name: str, actor: str, if_match: frozenset[int] | None) -> None:
        """Delete a job if it exists, and everything about its name: events, results, delivery records, inputs, rows.

        A runner or mailer at work may still publish an event about it; the projection erases that one on arrival.

        Raises:
            NotFound: no job has or had the name.
        """
        known = await self._read(Queries.known_job, job_name)
        if known is None:
            raise NotFound(f"there is no job named {job_name!r}")
        if known.job is not None:
            await self.delete(job_name, actor, if_match)
        try:
            up_to = await self._log.last_sequence()
            events, results = await self._erasure.erase(job_name, up_to)
            erased = JobErased(
                job_name=job_name,
                job_id=known.job_id,
                actor=actor,
                events_purged=events,
                results_purged=results,
                up_to=up_to,
            )
            stored = await self._log.publish(erased)
            await self._wait_until_applied(stored.sequence)
            await self._inputs.remove_unused()
        except (nats.errors.Error, NotApplied) as error:
            raise NotReady("the log does not answer; repeat the request to erase the rest") from error

    async def run(self, job_name: str, actor: str, idempotency_key: str | None) -> UUID:
        """Request a run now, also of a paused job, and return its id. Requests with the same key give the same run, once.

        Raises:
            TooManyRequests: too many runs of the job, or requested by this token, wait for a runner.
        """
        job = existing(await self._read(Queries.known_job, job_name), job_name, None)
        run_id = manual_run_id(job.job_id, idempotency_key)
        if idempotency_key is not None and await self._read(Queries.run, str(run_id)) is not None:
            return run_id
        await self._check_queue(job_name, actor)
        now = datetime.now(UTC)
        event = RunRequested(job_name=job_name, run_id=run_id, job=job, trigger="manual", scheduled_at=now, actor=actor)
        # Two concurrent requests with one key have the same message id: the broker stores the first.
        await self._publish(event, run_message_id(run_id), request_headers(str(run_id)).get(TRACEPARENT))
        record_request(str(run_id), now, job_name, "manual")
        return run_id

    async def _check_queue(self, job_name: str, actor: str) -> None:
        """Refuse a further run while many wait. Concurrent requests may exceed a ceiling by as many as they are."""
        for kind, whose, ceiling, count, name in (
            ("queued runs of a job", f"the job {job_name!r}", MAX_QUEUED_RUNS_OF_JOB, count_queued_of_job, job_name),
            ("queued runs of a token", f"the token {actor!r}", MAX_QUEUED_RUNS_OF_TOKEN, count_queued_of_token, actor),
        ):
            if await self._read(count, name, ceiling) >= ceiling:
                QUOTA_REFUSALS.labels(kind).inc()
                detail = f"{whose} has {ceiling} runs that wait for a runner, the most; repeat the request later"
                raise TooManyRequests(detail, headers={"Retry-After": "30"})

    async def cancel(self, run_id: UUID, actor: str) -> None:
        """Cancel a queued or running run: it gets no outcome, and nothing of it is mailed.

        Raises:
            NotFound: there is no such run.
            Conflict: the run has ended.
        """
        run = await self._read(Queries.run, str(run_id))
        if run is None:
            raise NotFound(f"there is no run {run_id}")
        if run["status"] in ENDED:
            raise Conflict(f"the run has ended: it is {run['status']}")
        event = RunCancelled(job_name=run["job_name"], run_id=run_id, actor=actor)
        # The message id of the run's outcome: if a runner publishes one meanwhile, the log keeps the first of the two.
        if (await self._publish(event, run_message_id(run_id, "outcome"))).duplicate:
            raise Conflict("the run has just ended")

    async def _decide_and_publish(self, job_name: str, decide: Callable[[KnownJob | None], JobEvent | None]) -> None:
        subjects = f"jobs.{job_token(job_name)}.>"
        try:
            for _ in range(MAX_ATTEMPTS):
                known = await self._read(Queries.known_job, job_name)
                event = decide(known)
                if event is None:
                    return
                try:
                    expectation = Expectation(subjects, 0 if known is None else known.sequence)
                    stored = await self._log.publish(event, expectation=expectation)
                except WrongLastSequence:
                    # Another replica's event came first and stands; this replica applies it and decides again.
                    last = await self._log.last_event(subjects)
                    await self._wait_until_applied(0 if last is None else last.sequence)
                else:
                    await self._wait_until_applied(stored.sequence)
                    return
        except nats.errors.Error as error:
            raise _not_stored() from error
        raise NotReady(f"the job {job_name!r} is changed too often at the moment; try again")

    async def _publish(
        self, event: RunRequested | RunCancelled, message_id: str, traceparent: str | None = None
    ) -> Stored:
        try:
            stored = await self._log.publish(event, message_id=message_id, traceparent=traceparent)
        except nats.errors.Error as error:
            raise _not_stored() from error
        await self._wait_until_applied(stored.sequence)
        return stored

    async def _wait_until_applied(self, sequence: int) -> None:
        try:
            await self._model.until(sequence)
        except NotApplied as error:
            raise NotReady(
                f"the change is stored as event {sequence}, but this replica has applied only {self._model.applied}"
            ) from error


def _check_schedule(job: Job, now: datetime) -> None:
    """Check that not all due times (`at ...`) of a job have passed. A job whose due times have passed may change otherwise.

    Raises:
        ValidationProblem: they have passed.
    """
    try:
        Timetable.of(job).check_not_passed(now)
    except ScheduleError as error:
        raise ValidationProblem(("schedules" if job.schedule_time is None else "schedule_time", str(error))) from None


def existing(known: KnownJob | None, job_name: str, if_match: frozenset[int] | None) -> Job:
    """Return the current job of a name.

    Raises:
        NotFound: there is no such job.
        PreconditionFailed: the sequence of its last event is not in `if_match`.
    """
    if known is None or known.job is None:
        raise NotFound(f"there is no job named {job_name!r}")
    if if_match is not None and known.sequence not in if_match:
        raise PreconditionFailed(f'the job {job_name!r} was changed: its ETag is now "{known.sequence}"')
    return known.job


def _next_version(job: Job, fields: dict[str, Any]) -> Job:
    return Job(
        **fields,
        job_id=job.job_id,
        version=job.version + 1,
        created_at=job.created_at,
        updated_at=datetime.now(UTC),
    )


def _not_stored() -> NotReady:
    return NotReady("the log does not answer; it may have stored the change or not")
