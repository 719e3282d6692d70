"""Dry runs of jobs that are not saved: fetch and script, the first rows in the answer, no event and no mail.

A request on `preview.run` (queue group `runners`: one runner answers) is a job definition as JSON. The
answer is JSON: `columns`, `rows` (the total), `first_rows` (lists of text, as in the CSV), `log` and `timings`, or `error`
(a `RunError`) or `skipped` (the reason) with `log` and `timings`.
"""

import asyncio
import csv
import io
import itertools
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from nightmail_common.contract.events import RunError, RunFailed, RunRequested, Timings
from nightmail_common.contract.job import Job
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.subjects import PREVIEW
from nightmail_runner.execute import RunExecutor
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Skipped

QUEUE = "runners"
FIRST_ROWS = 20
#: Of one value: people read a preview.
MAX_VALUE_CHARS = 1000
MAX_LOG_CHARS = 16 * 1024
#: Longer than a person waits. A job's own timeout applies to its runs.
TIMEOUT_SECONDS = 60

logger = structlog.get_logger()


class PreviewHandler:
    """Answers preview requests, one at a time, in parallel with the runs."""

    def __init__(self, executor: RunExecutor) -> None:
        self._executor = executor
        self._one_at_a_time = asyncio.Lock()

    async def serve(self, client: Client) -> None:
        await client.subscribe(PREVIEW, QUEUE, self._answer)

    async def _answer(self, message: Msg) -> None:
        async with self._one_at_a_time:
            answer = await self._preview(message.data)
        logger.info("preview_answered", error=answer.get("error", {}).get("type"))
        await message.respond(json.dumps(answer).encode())

    async def _preview(self, body: bytes) -> dict[str, Any]:
        try:
            definition = JobDefinition.model_validate_json(body)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in problem["loc"])
            return _error_answer(RunError(stage="runner", type="InvalidJob", message=f"{where}: {problem['msg']}"))
        with MemoryFile("csv") as output:
            result, timings = await self._executor.preview(_request(definition), output)
            if isinstance(result, RunFailed):
                return _error_answer(result.error, result.log, timings)
            if isinstance(result, Skipped):
                return _answer(result.log, timings) | {"skipped": result.reason}
            return _answer(result.log, timings) | {
                "columns": result.columns,
                "rows": result.rows,
                "first_rows": _first_rows(output, definition.csv.delimiter),
            }


def _first_rows(output: MemoryFile, delimiter: str) -> list[list[str]]:
    with output.reader() as reader:
        rows = csv.reader(io.TextIOWrapper(reader, encoding="utf-8-sig", newline=""), delimiter=delimiter)
        return [[value[:MAX_VALUE_CHARS] for value in row] for row in itertools.islice(rows, 1, FIRST_ROWS + 1)]


def _request(definition: JobDefinition) -> RunRequested:
    now = datetime.now(UTC)
    fields = definition.fields() | {
        "timeout_seconds": min(definition.timeout_seconds or TIMEOUT_SECONDS, TIMEOUT_SECONDS)
    }
    job = Job(**fields, job_id=uuid4(), version=1, created_at=now, updated_at=now)
    return RunRequested(job_name=job.job_name, run_id=uuid4(), job=job, trigger="manual", scheduled_at=now)


def _error_answer(error: RunError, log: str = "", timings: Timings | None = None) -> dict[str, Any]:
    return _answer(log, timings) | {"error": error.model_dump()}


def _answer(log: str, timings: Timings | None) -> dict[str, Any]:
    return {"log": log[:MAX_LOG_CHARS], "timings": None if timings is None else timings.model_dump()}
