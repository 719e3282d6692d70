"""Tries the source of a job that is created or changed: its first bytes, so that a job that cannot work is not a surprise.

A request on `preview.source` is `{"data_source": ..., "timezone": ...}`. The answer is `{"problem": text or null,
"script_timeout": seconds}`, with the longest time that this runner gives a script, or `{"error": reason}` if the source
was not tried.
"""

import asyncio
from datetime import UTC, datetime

import structlog

from nightmail_common.broker.responder import Answer, Request, Responder
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.limits import MAX_EXCERPT_CHARS, MAX_SOURCE_CHECK_SECONDS, MAX_SOURCE_CHECKS
from nightmail_common.contract.subjects import RUNNERS, SOURCE_CHECK
from nightmail_common.contract.text import shorten
from nightmail_common.contract.timezones import zone
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.fetch import Fetcher
from nightmail_runner.template_times import SourceTimes

logger = structlog.get_logger()


def source_checks(fetcher: Fetcher, script_timeout: int) -> Responder:
    """Return what answers the requests of the API, in parallel with runs and previews."""

    async def check(request: Request) -> Answer:
        problem = await _problem(fetcher, request)
        logger.info("source_checked", problem=problem is not None)
        return {"problem": problem, "script_timeout": script_timeout}

    return Responder(SOURCE_CHECK, RUNNERS, check, MAX_SOURCE_CHECKS, busy="the runner is busy with other sources")


async def _problem(fetcher: Fetcher, request: Request) -> str | None:
    """Return why the source gives no data; None if it gives some."""
    source = DataSource.model_validate(request["data_source"])
    now = datetime.now(UTC).astimezone(zone(request["timezone"]))
    times = SourceTimes({"scheduled_at": now, "last_success_at": now})
    try:
        async with asyncio.timeout(MAX_SOURCE_CHECK_SECONDS):
            await fetcher.check(source, times)
    except TimeoutError:
        return f"the source gave no data within {MAX_SOURCE_CHECK_SECONDS:g} s when it was tried"
    except CannotFetch as error:
        return shorten(str(error), MAX_EXCERPT_CHARS)
    return None
