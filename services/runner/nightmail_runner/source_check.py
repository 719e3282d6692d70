"""Tries the source of a job that is created or changed: its first bytes, so that a job that cannot work is not a surprise.

A request on `preview.source` (queue group `runners`: one runner answers) is `{"data_source": ..., "timezone": ...}` as JSON. The
answer is `{"problem": text or null}`, or `{"untried": reason}`.
"""

import asyncio
import json
from datetime import UTC, datetime

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.limits import MAX_EXCERPT_CHARS, MAX_SOURCE_CHECK_SECONDS, MAX_SOURCE_CHECKS
from nightmail_common.contract.schedule import zone
from nightmail_common.contract.subjects import SOURCE_CHECK
from nightmail_runner.preview import QUEUE, shorten
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.fetch import Fetcher
from nightmail_runner.template_times import SourceTimes

logger = structlog.get_logger()


class SourceCheckHandler:
    """Answers the requests of the API, in parallel with runs and previews."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, client: Client) -> None:
        await client.subscribe(SOURCE_CHECK, QUEUE, self._accept)
        await client.flush()

    async def stop(self) -> None:
        """Wait for the requests under way, which takes at most `MAX_SOURCE_CHECK_SECONDS`."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, message: Msg) -> None:
        if len(self._tasks) >= MAX_SOURCE_CHECKS:
            await message.respond(json.dumps({"untried": "the runner is busy with other sources"}).encode())
            return
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Msg) -> None:
        try:
            answer = {"problem": await self._problem(message.data)}
        except Exception:  # the API answers without this
            logger.exception("source_check_failed")
            answer = {"untried": "the runner failed; its log has the details"}
        logger.info("source_checked", problem=bool(answer.get("problem")))
        try:
            await message.respond(json.dumps(answer).encode())
        except BROKER_ERRORS as error:
            logger.info("source_check_not_answered", error=type(error).__name__)

    async def _problem(self, body: bytes) -> str | None:
        """Return why the source gives no data; None if it gives some."""
        fields = json.loads(body)
        source = DataSource.model_validate(fields["data_source"])
        now = datetime.now(UTC).astimezone(zone(fields["timezone"]))
        times = SourceTimes({"scheduled_at": now, "last_success_at": now})
        try:
            async with asyncio.timeout(MAX_SOURCE_CHECK_SECONDS):
                await self._fetcher.check(source, times)
        except TimeoutError:
            return f"the source gave no data within {MAX_SOURCE_CHECK_SECONDS:g} s when it was tried"
        except CannotFetch as error:
            return shorten(str(error), MAX_EXCERPT_CHARS)
        return None
