"""Dry runs of jobs that are not saved: fetch and script, the first rows in the answer, no event and no mail.

A request on `preview.run` is a job definition as JSON. The
header `Nightmail-Sample` names a sample to run on, `Nightmail-Keep-As` the name under which to keep the input as one. The
answer is JSON: `sample_kept`, `columns`, `text_columns` (positions), `rows` (the total), `first_rows` (lists of text, as in the
CSV), `figures` (`alt`, `width`, `height`, and `png` in base64), `log` and `timings`, or `error` (a `RunError`) or `skipped`
(the reason) with `log` and `timings`. With the header `Nightmail-Whole` a result is also in `result`, as the `ResultReady` that
a run would store: null if it is too large to be mailed from a dry run, which a note says.
"""

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from nightmail_common.broker.patches import cancel_until_done
from nightmail_common.broker.results import ResultStore
from nightmail_common.contract.csv_head import read_head
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import RunError, RunFailed, RunRequested, Timings
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.limits import (
    MAX_PREVIEW_FIGURES_BYTES,
    MAX_PREVIEW_SECONDS,
    MAX_PREVIEW_TABLE_BYTES,
    MAX_RUNNER_PREVIEWS,
    MAX_WAITING_PREVIEWS,
)
from nightmail_common.contract.subjects import PREVIEW, PREVIEW_CANCEL, PREVIEW_ID, PREVIEW_WHOLE, RUNNERS
from nightmail_common.contract.text import shorten
from nightmail_runner.execute import RunExecutor, ScriptRefused
from nightmail_runner.output_files import open_outputs
from nightmail_runner.preview_result import TooLargeToMail, whole_result
from nightmail_runner.samples import PreviewInput, Samples
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import DrawnFigure, Skipped
from nightmail_runner.sandbox.task import PREVIEW_TIMEOUT_SECONDS

FIRST_ROWS = 20
#: The most characters of a value that a preview shows.
MAX_VALUE_CHARS = 1000
MAX_LOG_CHARS = 16 * 1024
MAX_ERROR_CHARS = 16 * 1024
#: Characters of a value and rows, tried in this order until an answer fits a message.
SHORTENED = ((200, 20), (40, 20), (40, 5), (10, 1), (0, 0))

logger = structlog.get_logger()


class PreviewHandler:
    """Answers preview requests, several at a time, in parallel with the runs. Every request gets an answer.

    Args:
        results: keeps the files of a result that is mailed and does not fit an answer.
        max_answer_bytes: the largest message; an answer is shortened to fit.
    """

    def __init__(self, executor: RunExecutor, samples: Samples, results: ResultStore, max_answer_bytes: int) -> None:
        self._executor = executor
        self._samples = samples
        self._results = results
        self._max_answer_bytes = max_answer_bytes
        self._at_once = asyncio.Semaphore(MAX_RUNNER_PREVIEWS)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    async def serve(self, client: Client) -> None:
        await client.subscribe(PREVIEW, RUNNERS, self._accept)
        await client.subscribe(PREVIEW_CANCEL, cb=self._cancel)
        await client.flush()  # who sees the service ready finds a responder

    async def stop(self) -> None:
        """End the previews in progress; their callers get an answer."""
        self._stopping = True
        await cancel_until_done(self._tasks.values())

    async def _accept(self, message: Msg) -> None:
        preview_id = (message.headers or {}).get(PREVIEW_ID) or str(uuid4())
        if len(self._tasks) >= MAX_RUNNER_PREVIEWS + MAX_WAITING_PREVIEWS or self._stopping:
            await message.respond(self._encode(_runner_error("RunnerBusy", "the runner is busy with other previews")))
            return
        task = self._tasks[preview_id] = asyncio.create_task(self._answer(message))
        task.add_done_callback(lambda _: self._tasks.pop(preview_id, None))

    async def _cancel(self, message: Msg) -> None:
        if (task := self._tasks.get(message.data.decode(errors="replace"))) is not None:
            await cancel_until_done({task})

    async def _answer(self, message: Msg) -> None:
        try:
            async with asyncio.timeout(MAX_PREVIEW_SECONDS), self._at_once:
                answer = await self._preview(message.data, message.headers or {})
        except TimeoutError:
            answer = _runner_error(
                "PreviewTimeout", f"fetching the data and running the script took more than {MAX_PREVIEW_SECONDS:.0f} s"
            )
        except asyncio.CancelledError:
            if not self._stopping:
                logger.info("preview_cancelled")
                return
            answer = _runner_error("RunnerStopped", "the runner was stopped; try again")
        except Exception as error:  # the caller waits for an answer
            logger.exception("preview_failed")
            answer = _runner_error("InternalError", describe_error(error))
        logger.info("preview_answered", error=answer.get("error", {}).get("type"))
        await message.respond(self._encode(answer))

    async def _preview(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        try:
            definition = JobDefinition.model_validate_json(body)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in problem["loc"])
            return _runner_error("InvalidJob", f"{where}: {problem['msg']}")
        request = _request(definition)
        try:
            script = await self._executor.read_script(request)
        except ScriptRefused as refused:
            return _error_answer(refused.error)
        is_whole = PREVIEW_WHOLE in headers
        wanted = {"slices": definition.split_by is not None, "figures": script.draws_charts}
        with open_outputs(xlsx=is_whole and "xlsx" in definition.attachments, **wanted) as outputs:
            async with PreviewInput(self._executor.fetch, self._samples, headers) as source:
                result, timings, notes = await self._executor.preview(request, script, outputs, source.fetch)
                kept, why_not = await source.kept()
            shown = _answer(result.log, timings) | {
                "notes": [note.model_dump() for note in (*notes, *why_not)],
                "sample_kept": kept,
            }
            if isinstance(result, RunFailed):
                return shown | _error_answer(result.error, result.log, timings)
            if isinstance(result, Skipped):
                return shown | {"skipped": result.reason}
            rows = _first_rows(outputs.csv, len(result.columns), definition.csv.delimiter)
            if len(rows) < min(FIRST_ROWS, result.rows):
                shown["notes"].append({"stage": "output", "text": f"the rows are too large: {len(rows)} are shown"})
            if is_whole:
                try:
                    shown["result"] = await whole_result(self._results, request, result, outputs, timings, notes)
                except TooLargeToMail as error:
                    shown["notes"].append({"stage": "output", "text": str(error)})
            return shown | {
                "columns": list(result.columns),
                "text_columns": list(result.text_columns),
                "rows": result.rows,
                "first_rows": rows,
                "figures": _figures(outputs.figures, result.figures, shown["notes"]),
            }

    def _encode(self, answer: dict[str, Any]) -> bytes:
        """Return an answer as JSON of at most `max_answer_bytes`; a note says what was shortened to fit."""
        encoded = json.dumps(answer).encode()
        for max_chars, max_rows in SHORTENED:
            if len(encoded) <= self._max_answer_bytes:
                return encoded
            encoded = json.dumps(_shortened(answer, max_chars, max_rows)).encode()
        if len(encoded) <= self._max_answer_bytes:
            return encoded
        error = RunError(stage="output", type="TooManyColumns", message="the column names do not fit an answer")
        return json.dumps(_error_answer(error)).encode()


def _first_rows(output: MemoryFile, columns: int, delimiter: str) -> list[list[str]]:
    """Return the first rows, as wide as the answer's list of columns."""
    with output.reader() as reader:
        head = reader.read(MAX_PREVIEW_TABLE_BYTES)
        rows = read_head(head, output.size, FIRST_ROWS, delimiter)[1:]
    return [[shorten(value, MAX_VALUE_CHARS) for value in row[:columns]] for row in rows]


def _figures(
    file: MemoryFile | None, figures: Sequence[DrawnFigure], notes: list[dict[str, str]]
) -> list[dict[str, Any]]:
    """Return the figures, with `png` in base64 as long as they fit an answer, else null and a note."""
    if file is None:
        return []
    shown: list[dict[str, Any]] = []
    free = MAX_PREVIEW_FIGURES_BYTES
    with file.reader() as reader:
        for number, figure in enumerate(figures, 1):
            data = reader.read(figure.size)
            fits = figure.size <= free
            free -= figure.size if fits else 0
            if not fits:
                text = f"figure {number} is too large for a preview; the mail shows it"
                notes.append({"stage": "output", "text": text})
            png = base64.b64encode(data).decode() if fits else None
            shown.append({"alt": figure.alt, "width": figure.width, "height": figure.height, "png": png})
    return shown


def _shortened(answer: dict[str, Any], max_chars: int, max_rows: int) -> dict[str, Any]:
    rows = [[shorten(value, max_chars) for value in row] for row in (answer.get("first_rows") or [])[:max_rows]]
    text = f"the answer is too large: it shows {len(rows)} rows, and {max_chars} characters of each value"
    return answer | {"first_rows": rows, "notes": [*answer.get("notes", []), {"stage": "output", "text": text}]}


def _request(definition: JobDefinition) -> RunRequested:
    now = datetime.now(UTC)
    timeout_seconds = min(definition.timeout_seconds or PREVIEW_TIMEOUT_SECONDS, PREVIEW_TIMEOUT_SECONDS)
    job = definition.new_job(now).model_copy(update={"timeout_seconds": timeout_seconds})
    return RunRequested(job_name=job.job_name, run_id=uuid4(), job=job, trigger="manual", scheduled_at=now)


def _runner_error(kind: str, message: str) -> dict[str, Any]:
    return _error_answer(RunError(stage="runner", type=kind, message=message))


def _error_answer(error: RunError, log: str = "", timings: Timings | None = None) -> dict[str, Any]:
    shown = {
        name: shorten(value, MAX_ERROR_CHARS) if isinstance(value, str) else value
        for name, value in error.model_dump().items()
    }
    return _answer(log, timings) | {"error": shown}


def _answer(log: str, timings: Timings | None) -> dict[str, Any]:
    return {"log": log[:MAX_LOG_CHARS], "timings": None if timings is None else timings.model_dump()}
