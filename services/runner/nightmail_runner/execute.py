"""A request in, an outcome out: fetch, sandbox, and the event that tells what came of it."""

import hashlib
import time
from dataclasses import dataclass

import structlog

from nightmail_common.contract.events import ResultReady, RunError, RunFailed, RunRequested, Runtime, Stage, Timings
from nightmail_common.contract.script import ImportNotAllowed, check_imports
from nightmail_runner import metrics
from nightmail_runner.outcome import body_bytes
from nightmail_runner.results import Results
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.task import Durations, FailureKind, Limits, Succeeded, Task
from nightmail_runner.sources.download import CannotFetch
from nightmail_runner.sources.fetch import Fetcher

#: Which stage of a run a failure of the sandbox belongs to.
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

_NO_DURATIONS = Durations()

logger = structlog.get_logger()


@dataclass(frozen=True)
class Ceilings:
    """What any job's script may use at most; the time is also what a job gets that asks for none.

    `imports`: the top-level packages that it may import.
    """

    timeout_seconds: int
    memory_bytes: int
    imports: frozenset[str]


class Work:
    """Does runs. It publishes nothing: what it returns is for others to publish.

    Args:
        max_event_bytes: what an event's body may have at most.
    """

    def __init__(
        self, fetcher: Fetcher, sandbox: Sandbox, results: Results, ceilings: Ceilings, max_event_bytes: int
    ) -> None:
        self._fetcher = fetcher
        self._sandbox = sandbox
        self._results = results
        self._ceilings = ceilings
        self._max_event_bytes = max_event_bytes

    async def do(self, request: RunRequested) -> ResultReady | RunFailed:
        """Return what came of a run. Whatever goes wrong becomes a `RunFailed`."""
        with metrics.SLOTS_BUSY.track_inprogress():
            ended = await self._ended(request, Clock())
        metrics.observe(ended.timings)
        return ended

    async def _ended(self, request: RunRequested, clock: "Clock") -> ResultReady | RunFailed:
        outcome, input_sha256 = await self._do(request, clock)
        if isinstance(outcome, RunFailed):
            return outcome
        try:
            with outcome.csv:
                return await self._result(request, input_sha256, outcome, clock)
        except Exception as error:  # a request always ends in an event
            return _broken(request, error, clock)

    async def preview(self, request: RunRequested) -> tuple[Succeeded | RunFailed, Timings]:
        """Do a run of which nothing is kept; who gets a result closes its `csv`."""
        clock = Clock()
        outcome, _ = await self._do(request, clock)
        return outcome, outcome.timings if isinstance(outcome, RunFailed) else clock.timings(outcome.durations)

    async def _do(self, request: RunRequested, clock: "Clock") -> tuple[Succeeded | RunFailed, str]:
        """Return the result and the sha256 of its input, or the failure."""
        try:
            check_imports(request.job.processing_script, self._ceilings.imports)
            source = await self._fetcher.fetch(request.job.data_source)
            clock.fetched()
            if not self._sandbox.protected:
                logger.warning("script_runs_unprotected", reason="NIGHTMAIL_SANDBOX=off")
            with source.file:
                outcome = await self._sandbox.run(self._task(request), source.file)
        except CannotFetch as error:
            refused = RunError(stage="fetch", type=type(error).__name__, message=str(error))
            return failure(request, refused, clock), ""
        except ImportNotAllowed as error:
            refused = RunError(stage="script", type=type(error).__name__, message=str(error), line=error.line)
            return failure(request, refused, clock), ""
        except Exception as error:  # a request always ends in an event
            return _broken(request, error, clock), ""
        if isinstance(outcome, Succeeded):
            metrics.SANDBOX_OUTCOMES.labels("succeeded").inc()
            return outcome, source.sha256()
        metrics.SANDBOX_OUTCOMES.labels(outcome.kind).inc()
        why = RunError(
            stage=_STAGES[outcome.kind],
            type=outcome.type,
            message=outcome.message,
            traceback=outcome.traceback,
            line=outcome.line,
        )
        return failure(request, why, clock, outcome.log, outcome.durations), ""

    async def _result(
        self, request: RunRequested, input_sha256: str, outcome: Succeeded, clock: "Clock"
    ) -> ResultReady:
        result = ResultReady(
            job_name=request.job_name,
            run_id=request.run_id,
            job=request.job,
            trigger=request.trigger,
            scheduled_at=request.scheduled_at,
            late=request.late,
            rows=outcome.rows,
            columns=outcome.columns,
            csv=await self._results.keep(request, outcome.csv),
            log=outcome.log,
            timings=clock.timings(outcome.durations),
            input_sha256=input_sha256,
            script_sha256=hashlib.sha256(request.job.processing_script.encode()).hexdigest(),
            runtime=Runtime(**self._sandbox.runtime),
        )
        if result.csv.data is not None and body_bytes(result) > self._max_event_bytes:
            result = result.model_copy(update={"csv": await self._results.store(request, outcome.csv)})
        return result

    def _task(self, request: RunRequested) -> Task:
        job = request.job
        timeout = min(job.timeout_seconds or self._ceilings.timeout_seconds, self._ceilings.timeout_seconds)
        return Task(
            script=job.processing_script,
            file_type=job.data_source.file_type,
            records_path=job.data_source.records_path,
            delimiter=job.data_source.delimiter,
            encoding=job.data_source.encoding,
            keep_formulas=job.csv_formulas == "keep",
            job_name=job.job_name,
            scheduled_at=request.scheduled_at,
            limits=Limits(timeout_seconds=timeout, memory_bytes=self._ceilings.memory_bytes),
        )


class Clock:
    """Where a run's time goes, from its making on."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._fetch_ms: float | None = None

    def fetched(self) -> None:
        self._fetch_ms = self._elapsed_ms()

    def timings(self, durations: Durations = _NO_DURATIONS) -> Timings:
        return Timings(
            fetch_ms=self._fetch_ms,
            parse_ms=durations.parse_ms,
            script_ms=durations.script_ms,
            output_ms=durations.output_ms,
            total_ms=self._elapsed_ms(),
        )

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._started) * 1000


def failure(
    request: RunRequested, error: RunError, clock: Clock, log: str = "", durations: Durations = _NO_DURATIONS
) -> RunFailed:
    """Return the event that says that a run ended without a result."""
    return RunFailed(
        job_name=request.job_name,
        run_id=request.run_id,
        job=request.job,
        trigger=request.trigger,
        scheduled_at=request.scheduled_at,
        late=request.late,
        error=error,
        log=log,
        timings=clock.timings(durations),
    )


def _broken(request: RunRequested, error: Exception, clock: Clock) -> RunFailed:
    logger.error("run_broke", exc_info=error)
    return failure(request, RunError(stage="runner", type=type(error).__name__, message=str(error)), clock)
