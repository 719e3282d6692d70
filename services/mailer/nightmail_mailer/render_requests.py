"""Renders mails on request, as recipients see them, and sends nothing.

A request on `preview.mail` (queue group `mailers`: one mailer answers) is JSON: `{"sequence": ...}` names the outcome of
a run in the log, `{"result": ...}` is the `result-ready` of a dry run. The answer is JSON: `subject`, `html` and `text`, or
`gone` or `error` (texts). Figures stay references by their Content-ID, which begins with the figure's name.
"""

import asyncio
import email
import json
from contextlib import suppress
from email.message import EmailMessage
from email.policy import default as default_policy
from html import escape

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultDamaged, ResultGone
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import ResultReady, RunFailed
from nightmail_common.contract.limits import MAX_MAILER_RENDERINGS, MAX_RENDER_SECONDS, MAX_WAITING_RENDERINGS
from nightmail_common.contract.subjects import MAIL_RENDER
from nightmail_mailer.compose.links import Links
from nightmail_mailer.workflow import MailWorkflow

QUEUE = "mailers"
#: Nobody has this address (RFC 2606). The link to unsubscribe is a recipient's own, and is not shown.
RECIPIENT = "recipient@example.com"

logger = structlog.get_logger()

Answer = dict[str, str]


class RenderRequests:
    """Answers requests for the rendered mail of an outcome; every request gets an answer.

    Args:
        max_answer_bytes: the largest message.
    """

    def __init__(self, log: EventLog, workflow: MailWorkflow, links: Links | None, max_answer_bytes: int) -> None:
        self._log = log
        self._workflow = workflow
        self._links = links
        self._max_answer_bytes = max_answer_bytes
        self._at_once = asyncio.Semaphore(MAX_MAILER_RENDERINGS)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, client: Client) -> None:
        await client.subscribe(MAIL_RENDER, QUEUE, self._accept)
        await client.flush()  # who sees the service ready finds a responder

    async def stop(self) -> None:
        """End the requests under way."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    async def _accept(self, message: Msg) -> None:
        if len(self._tasks) >= MAX_MAILER_RENDERINGS + MAX_WAITING_RENDERINGS:
            await message.respond(json.dumps({"error": "the mailer is busy with other mails"}).encode())
            return
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Msg) -> None:
        try:
            async with asyncio.timeout(MAX_RENDER_SECONDS), self._at_once:
                answer = await self._render(message.data)
        except (ResultGone, ResultDamaged) as error:
            answer = {"gone": str(error)}
        except TimeoutError:
            answer = {"error": f"the mail is not ready within {MAX_RENDER_SECONDS:.0f} s"}
        except Exception as error:  # the caller waits for an answer
            logger.exception("rendering_failed")
            answer = {"error": describe_error(error)}
        encoded = json.dumps(answer).encode()
        if len(encoded) > self._max_answer_bytes:
            encoded = json.dumps({"error": "the mail is too large to be shown"}).encode()
        with suppress(*BROKER_ERRORS):
            await message.respond(encoded)

    async def _render(self, body: bytes) -> Answer:
        event = await self._event(json.loads(body))
        if event is None:
            return {"gone": "the result is kept no longer"}
        render_for = await self._workflow.render(event)
        # A mail with large attachments takes longer to decode than the heartbeats may pause.
        answer = await asyncio.to_thread(lambda: _bodies(render_for(RECIPIENT)))
        if self._links is not None:
            link = self._links.unsubscribe(event.job.job_id, RECIPIENT)
            answer["html"] = answer["html"].replace(escape(link), "#")
            answer["text"] = answer["text"].replace(link, "(a link for each recipient)")
        return answer

    async def _event(self, request: dict[str, object]) -> ResultReady | RunFailed | None:
        if "result" in request:
            try:
                return ResultReady.model_validate(request["result"])
            except ValidationError as error:
                raise ValueError(f"the result has {error.error_count()} fields that are not valid") from None
        event = await self._log.outcome(int(str(request["sequence"])))
        return event if isinstance(event, ResultReady | RunFailed) else None


def _bodies(mail: bytes) -> Answer:
    message = email.message_from_bytes(mail, policy=default_policy)
    assert isinstance(message, EmailMessage)
    found = {kind: message.get_body((kind,)) for kind in ("html", "plain")}
    bodies = {kind: "" if part is None else str(part.get_content()) for kind, part in found.items()}
    return {"subject": str(message["Subject"]), "html": bodies["html"], "text": bodies["plain"]}
