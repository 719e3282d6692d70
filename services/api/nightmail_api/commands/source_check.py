"""Tries a job's source when the job is created or changed: the API asks a runner, which has the network and the secrets."""

import asyncio
import json
from collections.abc import Coroutine, Iterable
from typing import Any

import nats.errors
from nats.aio.client import Client

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.limits import MAX_SOURCE_CHECK_WAIT_SECONDS
from nightmail_common.contract.source_types import MAIN_SOURCE
from nightmail_common.contract.subjects import SOURCE_CHECK


class SourceCheck:
    """Asks runners for the warning about a source. It refuses nothing."""

    def __init__(self, client: Client, default_timezone: str) -> None:
        self._client = client
        self._default_timezone = default_timezone

    async def beside(self, definition: JobDefinition, change: Coroutine[Any, Any, object]) -> list[dict[str, str]]:
        """Make a change of a job, and return the warnings about its source, which is tried meanwhile.

        Raises:
            Problem: the change is refused.
        """
        checking = asyncio.create_task(self._warnings(definition))
        try:
            await change
            return await checking
        finally:
            checking.cancel()

    async def _warnings(self, definition: JobDefinition) -> list[dict[str, str]]:
        timezone = definition.with_timezone_default(self._default_timezone).timezone
        sources = definition.sources
        answers = await asyncio.gather(*(self._ask_runner(source, timezone) for source in sources.values()))
        found = zip(sources, map(_problem, answers), strict=True)
        warnings = [{"field": _field(name), "detail": problem} for name, problem in found if problem]
        return [*warnings, *_timeout_warnings(definition, answers)]

    async def _ask_runner(self, source: DataSource, timezone: str) -> dict[str, Any]:
        if not self._client.is_connected:
            return {"error": "the broker does not answer"}
        body = {"data_source": source.model_dump(mode="json"), "timezone": timezone}
        try:
            reply = await self._client.request(
                SOURCE_CHECK, json.dumps(body).encode(), timeout=MAX_SOURCE_CHECK_WAIT_SECONDS
            )
            answer: dict[str, Any] = json.loads(reply.data)
            return answer
        except nats.errors.NoRespondersError:
            return {"error": "no runner is available"}
        except nats.errors.TimeoutError:
            return {"error": f"no runner answered within {MAX_SOURCE_CHECK_WAIT_SECONDS:g} s"}
        except BROKER_ERRORS:
            return {"error": "the broker does not answer"}


def _timeout_warnings(definition: JobDefinition, answers: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the warning about a `timeout_seconds` above what a runner allows; runners of earlier versions do not report it."""
    limits = [answer["script_timeout"] for answer in answers if "script_timeout" in answer]
    wanted = definition.timeout_seconds
    if wanted is None or not limits or wanted <= (limit := min(limits)):
        return []
    detail = f"the runner ends a script after {limit} s (NIGHTMAIL_SCRIPT_TIMEOUT), not after {wanted} s"
    return [{"field": "timeout_seconds", "detail": detail}]


def _problem(answer: dict[str, Any]) -> str | None:
    if "error" in answer:
        return f"the source was not tried: {answer['error']}"
    problem: str | None = answer["problem"]
    return problem


def _field(source_name: str) -> str:
    return "data_source" if source_name == MAIN_SOURCE else f"more_sources.{source_name}"
