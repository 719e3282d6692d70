"""Dry runs: a job that nobody saved goes to a runner, and what its script gives comes back. No event, no mail."""

import json
from typing import Any

import nats.errors
from nats.aio.client import Client
from pydantic import Field

from nightmail_api.http.problems import NotReady
from nightmail_common.contract.job_definition import JobDefinition, JobName, Recipients
from nightmail_common.contract.subjects import PREVIEW

#: A runner gives a script at most a minute, whatever the job says, and one preview at a time.
DEADLINE_SECONDS = 90.0


class PreviewDefinition(JobDefinition):
    """A job as a user writes it, of which only `data_source` and `processing_script` are needed to try it."""

    job_name: JobName = "preview"
    schedule_time: str = Field(default="@daily", min_length=1, max_length=256)
    consumer_emails: Recipients = ("preview@localhost",)


class Previews:
    """Asks runners."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def run(self, definition: JobDefinition) -> dict[str, Any]:
        """Return what a runner answered: columns and first rows, or the error, with log and timings.

        Raises:
            NotReady: there is no runner, or none that has the time.
        """
        if not self._client.is_connected:
            # A request would wait for the broker, and then for the runner: long after whoever asked has gone.
            raise NotReady("the broker does not answer")
        try:
            reply = await self._client.request(PREVIEW, definition.model_dump_json().encode(), timeout=DEADLINE_SECONDS)
        except nats.errors.NoRespondersError:
            raise NotReady("no runner is there to try the job", retry_after_seconds=5) from None
        except nats.errors.TimeoutError:
            raise NotReady(
                f"no runner answered within {DEADLINE_SECONDS:.0f} seconds", retry_after_seconds=30
            ) from None
        except nats.errors.Error as error:
            raise NotReady("the broker does not answer") from error
        answer: dict[str, Any] = {"columns": None, "rows": None, "first_rows": None, "error": None}
        answer.update(json.loads(reply.data))
        return answer
