"""Dry runs: a runner runs an unsaved job, and its answer comes back. No event, no mail."""

import asyncio
import json
from contextlib import suppress
from typing import Any
from uuid import uuid4

import nats.errors
from nats.aio.client import Client

from nightmail_api.access.quota import Quota
from nightmail_api.commands.script_check import ScriptCheck
from nightmail_api.http.problems import NotReady
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.contract.job_definition import JobDefinition, JobName, Recipients
from nightmail_common.contract.limits import MAX_API_PREVIEWS, MAX_TOKEN_PREVIEWS
from nightmail_common.contract.subjects import PREVIEW, PREVIEW_CANCEL, PREVIEW_ID
from nightmail_common.contract.timetable_definition import ScheduleTime

#: A runner answers within `MAX_PREVIEW_SECONDS`.
DEADLINE_SECONDS = 90.0


class PreviewDefinition(JobDefinition):
    """A job to try. Only `data_source` and `processing_script` are required."""

    job_name: JobName = "preview"
    schedule_time: ScheduleTime | None = "@daily"
    consumer_emails: Recipients = ("preview@localhost",)


class Previews:
    """Sends previews to runners, as a NATS request."""

    def __init__(self, client: Client, scripts: ScriptCheck) -> None:
        self._client = client
        self._scripts = scripts
        self._quota = Quota("previews", MAX_TOKEN_PREVIEWS, MAX_API_PREVIEWS)

    async def run(self, definition: JobDefinition, caller: str) -> dict[str, Any]:
        """Return the answer of a runner: columns and first rows, or the error, with log and timings.

        When the caller cancels this, the runner stops too.

        Raises:
            ValidationProblem: the script cannot be run.
            TooManyRequests: the caller, or all callers of this replica, have too many previews under way.
            NotReady: no runner answers in time, or the broker does not answer.
        """
        if not self._client.is_connected:
            # A request would wait for the connection first, longer than the caller does.
            raise NotReady("the broker does not answer")
        with self._quota.hold(caller):
            await self._scripts.check(definition.processing_script)
            answer: dict[str, Any] = {
                "columns": None,
                "rows": None,
                "first_rows": None,
                "figures": [],
                "notes": [],
                "error": None,
                "skipped": None,
            }
            answer.update(json.loads(await self._ask_runner(definition)))
            return answer

    async def _ask_runner(self, definition: JobDefinition) -> bytes:
        preview_id = str(uuid4())
        body, headers = definition.model_dump_json().encode(), {PREVIEW_ID: preview_id}
        try:
            reply = await self._client.request(PREVIEW, body, timeout=DEADLINE_SECONDS, headers=headers)
        except asyncio.CancelledError:
            with suppress(*BROKER_ERRORS):
                await self._client.publish(PREVIEW_CANCEL, preview_id.encode())
            raise
        except nats.errors.NoRespondersError:
            raise NotReady("no runner is available for the preview", retry_after_seconds=5) from None
        except nats.errors.TimeoutError:
            raise NotReady(
                f"no runner answered within {DEADLINE_SECONDS:.0f} seconds: it was stopped, or lost its connection",
                retry_after_seconds=30,
            ) from None
        except nats.errors.Error as error:
            raise NotReady("the broker does not answer") from error
        return reply.data
