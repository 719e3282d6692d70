"""Executes a requested run: fetch the data, run the script in the sandbox, build the event of the outcome."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC

import structlog

from nightmail_common.broker import tracing
from nightmail_common.broker.results import JobStorageFull, ResultStore
from nightmail_common.contract.events import (
    Note,
    ResultReady,
    RunError,
    RunFailed,
    RunRequested,
    RunSkipped,
    SkipReason,
    Stage,
    Timings,
)
from nightmail_common.contract.limits import MAX_ERROR_TEXT_CHARS
from nightmail_common.contract.result_parts import Runtime
from nightmail_common.contract.script_facts import ScriptFacts
from nightmail_common.contract.split import ResultSlice
from nightmail_common.service.script_reader import ScriptReader, ScriptTooCostly
from nightmail_runner import metrics
from nightmail_runner.changes import changes_since, why_unchanged
from nightmail_runner.earlier import Earlier
from nightmail_runner.event_size import body_bytes
from nightmail_runner.kept_inputs import RunInputs
from nightmail_runner.last_delivered import LastDelivered
from nightmail_runner.output_files import open_outputs, store_outputs
from nightmail_runner.sandbox.client import Outputs, Sandbox
from nightmail_runner.sandbox.result import Failed, FailureKind, SandboxResult, Skipped, StageTimings, Succeeded
from nightmail_runner.sandbox.task import CsvFormat, Limits, Task
from nightmail_runner.slices import SlicesNotValid, read_slices
from nightmail_runner.sources.conditional import KeptAnswers
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.fetch import Fetcher
from nightmail_runner.sources.fetch_all import Fetched, fetch_all
from nightmail_runner.sources.masking import Masker
from nightmail_runner.task_options import read_options, split_of
from nightmail_runner.template_times import TemplateTimes

#: The stage of a run that a failure in the sandbox belongs to.
_STAGES: dict[FailureKind, Stage] = {
    "parse": "parse",
    "script": "script",
    "not_a_dataframe": "script",
    "output": "output",
    "output_too_large": "output",
    "timeout": "script",
    "out_of_memory": "script",
    "killed": "script",
    "sandbox": "runner",
}

#: Returns the inputs of a request, and adds them to `RunInputs`; raises `CannotFetch`.
Fetch = Callable[[RunRequested, RunInputs], Awaitable[Fetched]]

logger = structlog.get_logger()


@dataclass(frozen=True)
class ScriptLimits:
    """The limits of every job's script. The timeout is also the default of a job that sets none.

    `result_bytes`, `rows` and `columns`: of its CSV.
    """

    timeout_seconds: int
    memory_bytes: int
    result_bytes: int
    rows: int
    columns: int


class ScriptRefused(Exception):
    """A script is not run; `error` says why."""

    def __init__(self, error: RunError) -> None:
        super().__init__(error.message)
        self.error = error


class RunExecutor:
    """Executes runs. It publishes nothing: callers publish the event that it returns.

    Args:
        max_event_bytes: the largest body of an event.
    """

    def __init__(
        self,
        scripts: ScriptReader,
        fetcher: Fetcher,
        times: TemplateTimes,
        kept_answers: KeptAnswers,
        sandbox: Sandbox,
        results: ResultStore,
        last_delivered: LastDelivered,
        limits: ScriptLimits,
        max_event_bytes: int,
    ) -> None:
        self._scripts = scripts
        self._fetcher = fetcher
        self._times = times
        self._kept_answers = kept_answers
        self._sandbox = sandbox
        self._results = results
        self._last_delivered = last_delivered
        self._limits = limits
        self._max_event_bytes = max_event_bytes

    async def execute(self, request: RunRequested, inputs: RunInputs) -> ResultReady | RunFailed | RunSkipped:
        """Execute a run, add what it reads to `inputs`, and store its files. Every error becomes a `RunFailed`."""
        stopwatch = Stopwatch()
        with metrics.SLOTS_BUSY.track_inprogress():
            try:
                outcome = await self._execute(request, await self.read_script(request), inputs, stopwatch)
            except ScriptRefused as refused:
                outcome = run_failed(request, refused.error, stopwatch)
            except Exception as error:  # a request always ends in an event
                outcome = _internal_failure(request, error, stopwatch)
        if outcome.timings is not None:
            metrics.observe(outcome.timings)
        return outcome

    async def read_script(self, request: RunRequested) -> ScriptFacts:
        """Return the facts of a request's script, without holding the event loop for a long one.

        Raises:
            ScriptRefused: it imports a package that is not allowed, or takes too long to compile.
        """
        try:
            facts = await self._scripts.read(request.job.processing_script, request.job_name)
        except ScriptTooCostly as error:
            raise ScriptRefused(_run_error("script", error)) from None
        problem = facts.problem
        if problem is not None and problem.package is not None:
            message = problem.message[:MAX_ERROR_TEXT_CHARS]
            raise ScriptRefused(RunError(stage="script", type="ImportNotAllowed", message=message, line=problem.line))
        return facts  # a script that is not valid Python fails in the worker, which names the line

    async def _execute(
        self, request: RunRequested, script: ScriptFacts, inputs: RunInputs, stopwatch: "Stopwatch"
    ) -> ResultReady | RunFailed | RunSkipped:
        job = request.job
        wanted = {"xlsx": "xlsx" in job.attachments, "slices": job.split_by is not None, "figures": script.draws_charts}
        with open_outputs(**wanted) as outputs, Earlier() as earlier:
            await earlier.read(self._last_delivered, job, reads_previous=script.reads_previous)
            result, fetched, slices = await self._fetch_and_run(request, script, inputs, outputs, earlier, stopwatch)
            if isinstance(result, RunFailed):
                return result
            if isinstance(result, Skipped):
                return run_skipped(request, "script", result.reason, result.log, stopwatch.timings(result.timings))
            if (why := await why_unchanged(request, earlier.previous, result, outputs.csv)) is not None:
                return run_skipped(request, "unchanged", why, result.log, stopwatch.timings(result.timings))
            try:
                return await self._result_ready(request, result, outputs, slices, earlier, fetched, stopwatch)
            except JobStorageFull as full:
                metrics.RESULTS_REFUSED.inc()
                failed = Failed("output", type(full).__name__, str(full), timings=result.timings, log=result.log)
                return _sandbox_failure(request, failed, stopwatch, fetched)

    async def preview(
        self, request: RunRequested, script: ScriptFacts, outputs: Outputs, fetch: Fetch
    ) -> tuple[Succeeded | Skipped | RunFailed, Timings, tuple[Note, ...]]:
        """Execute a run of which no event is stored, on what `fetch` returns; return the result, timings and notes."""
        stopwatch = Stopwatch()
        with Earlier.of_preview(reads_previous=script.reads_previous) as earlier, RunInputs() as inputs:
            result, fetched, _ = await self._fetch_and_run(request, script, inputs, outputs, earlier, stopwatch, fetch)
        if isinstance(result, RunFailed):
            return result, result.timings or stopwatch.timings(), result.notes
        notes = _notes(result) if isinstance(result, Succeeded) else ()
        return result, stopwatch.timings(result.timings), (*fetched.notes, *notes, *earlier.notes)

    async def fetch(self, request: RunRequested, inputs: RunInputs) -> Fetched:
        """Fetch the sources of a request.

        Raises:
            CannotFetch: a source cannot be fetched.
        """
        return await fetch_all(self._fetcher, self._times, self._kept_answers, request, inputs)

    async def _fetch_and_run(
        self,
        request: RunRequested,
        script: ScriptFacts,
        inputs: RunInputs,
        outputs: Outputs,
        earlier: Earlier,
        stopwatch: "Stopwatch",
        fetch: Fetch | None = None,
    ) -> tuple[Succeeded | Skipped | RunFailed, Fetched, tuple[ResultSlice, ...]]:
        """Return the result, or the failure, what the run has of its input, and the slices of a job that is split."""
        try:
            fetched = await (fetch or self.fetch)(request, inputs)
            stopwatch.record_fetch()
            if not self._sandbox.protected:
                logger.warning("script_runs_unprotected", reason="NIGHTMAIL_SANDBOX=off")
            task = self._task(request, script, fetched, outputs, earlier)
            with tracing.span("sandbox"):
                files = [data.file for data in fetched.inputs.values()]
                ended = await self._sandbox.run(task, files[0], *outputs, earlier.csv, more=files[1:])
                tracing.record_stages(ended.timings.items())
            inputs.close_others()
            result = _masked(ended, fetched.masker)
        except CannotFetch as error:
            return run_failed(request, _run_error("fetch", error), stopwatch), Fetched(), ()
        except Exception as error:  # a request always ends in an event
            return _internal_failure(request, error, stopwatch), Fetched(), ()
        if isinstance(result, Failed):
            metrics.SANDBOX_OUTCOMES.labels(result.kind).inc()
            return _sandbox_failure(request, result, stopwatch, fetched), fetched, ()
        metrics.SANDBOX_OUTCOMES.labels("skipped" if isinstance(result, Skipped) else "succeeded").inc()
        if isinstance(result, Skipped) or outputs.slices is None:
            return result, fetched, ()
        try:
            return result, fetched, await asyncio.to_thread(read_slices, outputs.slices, result, request.job)
        except SlicesNotValid as error:
            failed = Failed("output", type(error).__name__, str(error), timings=result.timings, log=result.log)
            return _sandbox_failure(request, failed, stopwatch, fetched), fetched, ()

    async def _result_ready(
        self,
        request: RunRequested,
        result: Succeeded,
        outputs: Outputs,
        slices: tuple[ResultSlice, ...],
        earlier: Earlier,
        fetched: Fetched,
        stopwatch: "Stopwatch",
    ) -> ResultReady:
        stored = await store_outputs(self._results, request, result, outputs, slices)
        event = ResultReady(
            **request.of_run,
            rows=result.rows,
            columns=result.columns,
            text_columns=result.text_columns,
            log=result.log,
            timings=stopwatch.timings(result.timings),
            input_sha256=fetched.sha256,
            more_inputs_sha256=fetched.more_sha256,
            script_sha256=hashlib.sha256(request.job.processing_script.encode()).hexdigest(),
            runtime=Runtime(**self._sandbox.runtime),
            notes=(*fetched.notes, *_notes(result), *earlier.notes),
            changes=changes_since(earlier.previous, result),
            **stored,
        )
        if body_bytes(event) > self._max_event_bytes:
            stored = await store_outputs(self._results, request, result, outputs, slices, inline=False)
            event = event.model_copy(update=stored)
        return event

    def _task(
        self, request: RunRequested, script: ScriptFacts, fetched: Fetched, outputs: Outputs, earlier: Earlier
    ) -> Task:
        job = request.job
        timeout = min(job.timeout_seconds or self._limits.timeout_seconds, self._limits.timeout_seconds)
        return Task(
            script=job.processing_script,
            read=read_options(job.data_source, fetched.main),
            more={name: read_options(source, fetched.inputs[name]) for name, source in job.more_sources.items()},
            keep_formulas=job.csv_formulas == "keep",
            csv=CsvFormat(**job.csv.model_dump()),
            xlsx=outputs.xlsx is not None,
            figures=outputs.figures is not None,
            previous=earlier.csv_format,
            reads_previous=script.reads_previous,
            compare_by=job.compare_by,
            split=split_of(job),
            seed=f"{' '.join((fetched.sha256, *fetched.more_sha256.values()))} {request.scheduled_at.astimezone(UTC).isoformat()}",
            job_name=job.job_name,
            scheduled_at=request.scheduled_at,
            timezone=job.timezone,
            limits=Limits(
                timeout_seconds=timeout,
                max_timeout_seconds=self._limits.timeout_seconds,
                memory_bytes=self._limits.memory_bytes,
                output_bytes=self._limits.result_bytes,
                rows=self._limits.rows,
                columns=self._limits.columns,
            ),
        )


class Stopwatch:
    """Measures a run, from its construction on."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._fetch_ms: float | None = None

    def record_fetch(self) -> None:
        self._fetch_ms = self._elapsed_ms()

    def timings(self, stages: StageTimings | None = None) -> Timings:
        """Return the timings of the run, with those of its stages in the sandbox."""
        in_sandbox = {f"{stage}_ms": milliseconds for stage, milliseconds in (stages or {}).items()}
        return Timings(fetch_ms=self._fetch_ms, total_ms=self._elapsed_ms(), **in_sandbox)

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._started) * 1000


def run_failed(
    request: RunRequested,
    error: RunError,
    stopwatch: Stopwatch,
    log: str = "",
    stages: StageTimings | None = None,
    notes: tuple[Note, ...] = (),
) -> RunFailed:
    """Return the event of a run that ended without a result."""
    return RunFailed(
        **request.of_run,
        error=error,
        log=log,
        timings=stopwatch.timings(stages),
        notes=notes,
    )


def run_skipped(
    request: RunRequested, reason: SkipReason, detail: str, log: str = "", timings: Timings | None = None
) -> RunSkipped:
    """Return the event of a run that ended without a result and without a failure."""
    return RunSkipped(
        job_name=request.job_name,
        run_id=request.run_id,
        job_id=request.job.job_id,
        job_version=request.job.version,
        scheduled_at=request.scheduled_at,
        reason=reason,
        detail=detail,
        log=log,
        timings=timings,
    )


def _sandbox_failure(request: RunRequested, failed: Failed, stopwatch: Stopwatch, fetched: Fetched) -> RunFailed:
    error = RunError(
        stage=_STAGES[failed.kind],
        type=failed.type,
        message=failed.message,
        traceback=failed.traceback,
        line=failed.line,
    )
    return run_failed(request, error, stopwatch, failed.log, failed.timings, (*fetched.notes, *_notes(failed)))


def _masked(result: SandboxResult, masker: Masker) -> SandboxResult:
    """Return a result whose texts do not show the secrets that were sent to the source, if its data repeats them."""
    result = replace(result, log=masker.mask(result.log), notes=tuple(masker.mask(note) for note in result.notes))
    if isinstance(result, Failed):
        traceback = None if result.traceback is None else masker.mask(result.traceback)
        return replace(result, message=masker.mask(result.message), traceback=traceback)
    if isinstance(result, Succeeded):
        figures = tuple(replace(figure, alt=masker.mask(figure.alt)) for figure in result.figures)
        return replace(result, output_notes=tuple(map(masker.mask, result.output_notes)), figures=figures)
    if isinstance(result, Skipped):
        return replace(result, reason=masker.mask(result.reason))
    return result


def _notes(result: SandboxResult) -> tuple[Note, ...]:
    of_output = result.output_notes if isinstance(result, Succeeded) else ()
    return (
        *(Note(stage="parse", text=text) for text in result.notes),
        *(Note(stage="output", text=text) for text in of_output),
    )


def _internal_failure(request: RunRequested, error: Exception, stopwatch: Stopwatch) -> RunFailed:
    logger.error("run_executor_failed", exc_info=error)
    return run_failed(request, _run_error("runner", error), stopwatch)


def _run_error(stage: Stage, error: Exception) -> RunError:
    """Return the error of an exception. A source can put a text of any length into one."""
    return RunError(stage=stage, type=type(error).__name__, message=str(error)[:MAX_ERROR_TEXT_CHARS])
