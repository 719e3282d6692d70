"""Dry runs: a runner runs an unsaved job, and its answer comes back. No event, no mail."""

import asyncio
import json
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID, uuid4

import nats.errors
import structlog
from nats.aio.client import Client
from pydantic import AfterValidator, Field, StrictBool

from nightmail_api.access.quota import Quota
from nightmail_api.commands.mailer_requests import ask_mailer
from nightmail_api.commands.rendered_mails import RenderedMails
from nightmail_api.commands.samples import PreviewSamples
from nightmail_api.commands.script_check import ScriptCheck
from nightmail_api.http.problems import NotReady
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.contract.job_definition import JobDefinition, JobName, Recipients, normalise_email
from nightmail_common.contract.limits import MAX_API_PREVIEWS, MAX_SEND_PREVIEW_SECONDS, MAX_TOKEN_PREVIEWS
from nightmail_common.contract.subjects import (
    MAIL_SEND,
    PREVIEW,
    PREVIEW_CANCEL,
    PREVIEW_ID,
    PREVIEW_KEEP_AS,
    PREVIEW_SAMPLE,
    PREVIEW_WHOLE,
)
from nightmail_common.contract.timetable_definition import ScheduleTime

logger = structlog.get_logger()

#: A runner answers within `MAX_PREVIEW_SECONDS`.
DEADLINE_SECONDS = 90.0
SEND_DEADLINE_SECONDS = MAX_SEND_PREVIEW_SECONDS + 10


class PreviewDefinition(JobDefinition):
    """A job to try. Only `data_source` and `processing_script` are required."""

    job_name: JobName = "preview"
    schedule_time: ScheduleTime | None = "@daily"
    consumer_emails: Recipients = ("preview@localhost",)
    with_mail: StrictBool = Field(default=False, description="Add the mail as recipients would see it.")
    sample_id: UUID | None = Field(
        default=None, description="Run on the input of an earlier preview of this caller (kept 1 hour); fetch nothing."
    )

    send_to: Annotated[str, AfterValidator(normalise_email)] | None = Field(
        default=None,
        max_length=320,
        description="Mail the result once, to this address only. The mail is no run: no event says so.",
    )

    @property
    def job(self) -> JobDefinition:
        """The job without what only a preview has."""
        fields = {name: getattr(self, name) for name in JobDefinition.model_fields}
        if self.send_to is not None:
            fields |= {"consumer_emails": (self.send_to,), "cc": (), "bcc": ()}
        given = self.model_fields_set & JobDefinition.model_fields.keys()
        return JobDefinition.model_construct(_fields_set=given, **fields)


class Previews:
    """Sends previews to runners, as a NATS request."""

    def __init__(self, client: Client, scripts: ScriptCheck, mails: RenderedMails, samples: PreviewSamples) -> None:
        self._client = client
        self._scripts = scripts
        self._mails = mails
        self._samples = samples
        self._quota = Quota("previews", MAX_TOKEN_PREVIEWS, MAX_API_PREVIEWS)

    async def run(self, preview: PreviewDefinition, caller: str) -> dict[str, Any]:
        """Return the answer of a runner: columns and first rows, or the error, with log and timings.

        When the caller cancels this, the runner stops too.

        Raises:
            ValidationProblem: the script cannot be run.
            TooManyRequests: the caller, or all callers of this replica, have too many previews in progress.
            NotReady: no runner answers in time, or the broker does not answer.
        """
        if not self._client.is_connected:
            # A request would wait for the connection first, longer than the caller does.
            raise NotReady("the broker does not answer")
        definition = preview.job
        with self._quota.hold(caller):
            await self._scripts.check(definition.processing_script, caller)
            answer: dict[str, Any] = {
                "columns": None,
                "text_columns": None,
                "rows": None,
                "first_rows": None,
                "figures": [],
                "notes": [],
                "error": None,
                "skipped": None,
                "mail": None,
                "sent": None,
                "sample_id": preview.sample_id,
            }
            new_sample = uuid4()
            if preview.sample_id is None:
                headers = {PREVIEW_KEEP_AS: self._samples.name(caller, new_sample)}
            else:
                headers = {PREVIEW_SAMPLE: self._samples.name(caller, preview.sample_id)}
            if preview.send_to is not None:
                headers[PREVIEW_WHOLE] = "1"
            answer.update(json.loads(await self._ask_runner(definition, headers)))
            if answer.pop("sample_kept", False):
                answer["sample_id"] = new_sample
                await self._samples.add(caller, new_sample)
            if preview.with_mail and answer["columns"] is not None:
                await self._add_mail(definition, answer)
            if preview.send_to is not None:
                await self._send(answer, preview.send_to)
                logger.info("preview_mail_requested", actor=caller, outcome=(answer["sent"] or {}).get("outcome"))
            return answer

    async def _send(self, answer: dict[str, Any], recipient: str) -> None:
        """Mail the whole result, and add the server's reply, or a note with the reason why it was not sent."""
        if (result := answer.pop("result", None)) is None:
            return
        request = {"result": result, "recipient": recipient}
        try:
            sent = await ask_mailer(self._client, MAIL_SEND, request, SEND_DEADLINE_SECONDS, "send the mail")
        except NotReady as error:
            answer["notes"].append({"stage": "output", "text": f"the mail was not sent: {error.detail}"})
        else:
            answer["sent"] = {"recipient": recipient} | sent

    async def _add_mail(self, definition: JobDefinition, answer: dict[str, Any]) -> None:
        """Add the rendered mail, or a note with the reason why there is none. The result of the script is returned in both cases."""
        try:
            answer["mail"] = await self._mails.of_preview(definition, answer)
        except NotReady as error:
            answer["notes"].append({"stage": "output", "text": f"the mail cannot be shown: {error.detail}"})

    async def _ask_runner(self, definition: JobDefinition, headers: dict[str, str]) -> bytes:
        preview_id = str(uuid4())
        body, headers = definition.model_dump_json().encode(), headers | {PREVIEW_ID: preview_id}
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
