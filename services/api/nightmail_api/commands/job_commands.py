"""What a caller may do to jobs: decided on the log, answered when it can be read.

A job's event is published with the sequence that the job's last event is expected to have. Of two replicas that
decide at once, the log lets one win; the other waits until it can read what won and decides anew.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import nats.errors

from nightmail_api.commands.erasure import Erasure
from nightmail_api.http.problems import ChangedMeanwhile, NameTaken, NotFound, NotReady, NotValid
from nightmail_api.read_model.queries import KnownJob, Queries, differing_fields
from nightmail_api.read_model.query_executor import Reader
from nightmail_api.read_model.read_model import NotApplied, ReadModel
from nightmail_common.broker.log import EventLog, Expectation, WrongLastSequence
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import (
    JobCreated,
    JobDeleted,
    JobErased,
    JobEvent,
    JobPaused,
    JobResumed,
    JobUpdated,
    RunRequested,
)
from nightmail_common.contract.job import Job, JobFields
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.run import manual_run_id
from nightmail_common.contract.script import ImportNotAllowed, check_imports
from nightmail_common.contract.subjects import job_token

#: Who loses this many times in a row is told to try again: something else changes the job all the time.
MAX_DECISIONS = 20


class Commands:
    """Decides, publishes, and waits for the read model."""

    def __init__(
        self,
        log: EventLog,
        model: ReadModel,
        read: Reader,
        erasure: Erasure,
        default_timezone: str,
        script_imports: frozenset[str],
    ) -> None:
        self._log = log
        self._erasure = erasure
        self._model = model
        self._read = read
        self._default_timezone = default_timezone
        self._script_imports = script_imports

    async def create(self, definition: JobDefinition, actor: str) -> None:
        """Register a job.

        Raises:
            NameTaken: a job of that name exists.
            NotValid: the script imports what it may not.
        """
        check_script(definition.processing_script, self._script_imports)
        fields = definition.with_timezone_default(self._default_timezone).fields()

        def decide(known: KnownJob | None) -> JobEvent:
            if known is not None and known.job is not None:
                raise NameTaken(
                    f"there is a job named {definition.job_name!r} already",
                    errors=[("job_name", "the name is taken")],
                )
            now = datetime.now(UTC)
            job = Job(**fields, job_id=uuid4(), version=1, created_at=now, updated_at=now)
            return JobCreated(job_name=job.job_name, job_id=job.job_id, actor=actor, job=job)

        await self._decide_and_publish(definition.job_name, decide)

    async def update(self, job_name: str, definition: JobDefinition, actor: str, if_match: int | None) -> None:
        """Change a job to what the definition says; the same content again changes nothing.

        Raises:
            NotFound: there is no such job.
            NotValid: the definition has another name, or its script imports what it may not.
            ChangedMeanwhile: the job's last event is not the one of `if_match`.
        """
        if definition.job_name != job_name:
            raise NotValid("1 field is not valid", errors=[("job_name", f"a job keeps its name, {job_name!r}")])
        check_script(definition.processing_script, self._script_imports)
        fields = definition.with_timezone_default(self._default_timezone).fields()

        def decide(known: KnownJob | None) -> JobEvent | None:
            job = existing(known, job_name, if_match)
            changed = _next_version(job, fields)
            if not differing_fields(job, changed):
                return None
            return JobUpdated(job_name=job_name, job_id=job.job_id, actor=actor, job=changed)

        await self._decide_and_publish(job_name, decide)

    async def roll_back(self, job_name: str, version: int, actor: str, if_match: int | None) -> None:
        """Give a job the content of one of its versions again, as a new version that says so.

        Raises:
            NotFound: there is no such job.
            NotValid: the job has no such version.
            ChangedMeanwhile: the job's last event is not the one of `if_match`.
        """
        job_id = existing(await self._read(Queries.known_job, job_name), job_name, if_match).job_id
        found = await self._read(Queries.version, job_id, version)
        if found is None:
            raise NotValid("1 field is not valid", errors=[("version", f"the job has no version {version}")])
        then = found[1]

        def decide(known: KnownJob | None) -> JobEvent | None:
            job = existing(known, job_name, if_match)
            if job.job_id != then.job_id:
                raise ChangedMeanwhile(f"the job {job_name!r} was deleted meanwhile, and another one has its name")
            changed = _next_version(job, {field: getattr(then, field) for field in JobFields.model_fields})
            if not differing_fields(job, changed):
                return None
            return JobUpdated(job_name=job_name, job_id=job.job_id, actor=actor, job=changed, rolled_back_to=version)

        await self._decide_and_publish(job_name, decide)

    async def delete(self, job_name: str, actor: str, if_match: int | None) -> None:
        """End a job; its history stays and its name is free.

        Raises:
            NotFound: there is no such job.
            ChangedMeanwhile: the job's last event is not the one of `if_match`.
        """

        def decide(known: KnownJob | None) -> JobEvent:
            job = existing(known, job_name, if_match)
            return JobDeleted(job_name=job_name, job_id=job.job_id, actor=actor, job_version=job.version)

        await self._decide_and_publish(job_name, decide)

    async def pause(self, job_name: str, actor: str, if_match: int | None) -> None:
        """Stop a job from firing; one that is paused stays so.

        Raises:
            NotFound: there is no such job.
            ChangedMeanwhile: the job's last event is not the one of `if_match`.
        """
        await self._set_status(job_name, actor, if_match, "paused", JobPaused)

    async def resume(self, job_name: str, actor: str, if_match: int | None) -> None:
        """Let a job fire again; one that is active stays so.

        Raises:
            NotFound: there is no such job.
            ChangedMeanwhile: the job's last event is not the one of `if_match`.
        """
        await self._set_status(job_name, actor, if_match, "active", JobResumed)

    async def erase(self, job_name: str, actor: str, if_match: int | None) -> None:
        """Delete a job if it is there, and everything about its name: events, results, records of mails, rows.

        What a runner or mailer that is at work right now still writes about it goes as soon as it is seen.

        Raises:
            NotFound: no job ever had the name.
            ChangedMeanwhile: the job's last event is not the one of `if_match`.
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
        except nats.errors.Error as error:
            raise NotReady("the log does not answer; ask again to erase what is left") from error
        await self._until_readable(stored.sequence)

    async def run(self, job_name: str, actor: str, idempotency_key: str | None) -> UUID:
        """Ask for a run now, of a paused job too, and return its id: with the same key the same run, asked for once.

        Raises:
            NotFound: there is no such job.
        """
        job = existing(await self._read(Queries.known_job, job_name), job_name, None)
        run_id = manual_run_id(job.job_id, idempotency_key)
        if idempotency_key is not None and await self._read(Queries.run, str(run_id)) is not None:
            return run_id
        event = RunRequested(
            job_name=job_name, run_id=run_id, job=job, trigger="manual", scheduled_at=datetime.now(UTC), actor=actor
        )
        # Of two requests with one key at once the log keeps the first: the message id is the same.
        try:
            stored = await self._log.publish(event, message_id=run_message_id(run_id))
        except nats.errors.Error as error:
            raise _not_stored() from error
        await self._until_readable(stored.sequence)
        return run_id

    async def _set_status(
        self, job_name: str, actor: str, if_match: int | None, status: str, event: type[JobPaused | JobResumed]
    ) -> None:
        def decide(known: KnownJob | None) -> JobEvent | None:
            job = existing(known, job_name, if_match)
            if known is not None and known.status == status:
                return None
            return event(job_name=job_name, job_id=job.job_id, actor=actor, job_version=job.version)

        await self._decide_and_publish(job_name, decide)

    async def _decide_and_publish(self, job_name: str, decide: Callable[[KnownJob | None], JobEvent | None]) -> None:
        subjects = f"jobs.{job_token(job_name)}.>"
        try:
            for _ in range(MAX_DECISIONS):
                known = await self._read(Queries.known_job, job_name)
                event = decide(known)
                if event is None:
                    return
                try:
                    expectation = Expectation(subjects, 0 if known is None else known.sequence)
                    stored = await self._log.publish(event, expectation=expectation)
                except WrongLastSequence:
                    # Another replica's event came first and stands; this one reads it and decides anew.
                    last = await self._log.last_event(subjects)
                    await self._until_readable(0 if last is None else last.sequence)
                else:
                    await self._until_readable(stored.sequence)
                    return
        except nats.errors.Error as error:
            raise _not_stored() from error
        raise NotReady(f"the job {job_name!r} is being changed all the time; try again")

    async def _until_readable(self, sequence: int) -> None:
        try:
            await self._model.until(sequence)
        except NotApplied as error:
            raise NotReady(
                f"the change is stored (event {sequence}), but cannot be read here yet: {self._model.applied} is"
            ) from error


def check_script(script: str, allowed: frozenset[str]) -> None:
    """Look whether a script imports only what is allowed, so that its owner is told now and not by a failed run.

    Raises:
        NotValid: it does not; the line is named.
    """
    try:
        check_imports(script, allowed)
    except ImportNotAllowed as error:
        problem = ("processing_script", f"line {error.line}: {error}")
        raise NotValid("1 field is not valid", errors=[problem]) from None


def existing(known: KnownJob | None, job_name: str, if_match: int | None) -> Job:
    """Return the job that is known by a name.

    Raises:
        NotFound: there is none.
        ChangedMeanwhile: its last event is not the one of `if_match`.
    """
    if known is None or known.job is None:
        raise NotFound(f"there is no job named {job_name!r}")
    if if_match is not None and if_match != known.sequence:
        raise ChangedMeanwhile(f'the job {job_name!r} was changed meanwhile: its ETag is now "{known.sequence}"')
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
    return NotReady("the log does not answer; the change may be stored or not")
