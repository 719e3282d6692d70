"""Dry runs: a runner runs an unsaved job, and its answer comes back. No event, no mail."""

import json
from typing import Any

import nats.errors
from nats.aio.client import Client

from nightmail_api.commands.script_check import ScriptCheck
from nightmail_api.http.problems import NotReady
from nightmail_common.contract.job_definition import JobDefinition, JobName, Recipients, ScheduleTime
from nightmail_common.contract.subjects import PREVIEW

#: A runner stops a preview's script after a minute, and runs one preview at a time.
DEADLINE_SECONDS = 90.0


class PreviewDefinition(JobDefinition):
    """A job to try. Only `data_source` and `processing_script` are required."""

    job_name: JobName = "preview"
    schedule_time: ScheduleTime = "@daily"
    consumer_emails: Recipients = ("preview@localhost",)


class Previews:
    """Sends previews to runners, as a NATS request."""

    def __init__(self, client: Client, scripts: ScriptCheck) -> None:
        self._client = client
        self._scripts = scripts

    async def run(self, definition: JobDefinition) -> dict[str, Any]:
        """Return the answer of a runner: columns and first rows, or the error, with log and timings.

        Raises:
            ValidationProblem: the script cannot be run.
            NotReady: no runner answers in time, or the broker does not answer.
        """
        if not self._client.is_connected:
            # A request would wait for the connection first, longer than the caller does.
            raise NotReady("the broker does not answer")
        await self._scripts.check(definition.processing_script)
        try:
            reply = await self._client.request(PREVIEW, definition.model_dump_json().encode(), timeout=DEADLINE_SECONDS)
        except nats.errors.NoRespondersError:
            raise NotReady("no runner is available for the preview", retry_after_seconds=5) from None
        except nats.errors.TimeoutError:
            raise NotReady(
                f"no runner answered within {DEADLINE_SECONDS:.0f} seconds", retry_after_seconds=30
            ) from None
        except nats.errors.Error as error:
            raise NotReady("the broker does not answer") from error
        answer: dict[str, Any] = {"columns": None, "rows": None, "first_rows": None, "error": None, "skipped": None}
        answer.update(json.loads(reply.data))
        return answer
