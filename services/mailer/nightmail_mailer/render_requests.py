"""Renders mails on request, as recipients see them, and sends nothing.

A request on `preview.mail` is JSON: `{"sequence": ...}` names the outcome of
a run in the log, `{"result": ...}` is the `result-ready` of a dry run. The answer is JSON: `subject`, `html` and `text`, or
`gone` or `error` (texts). Figures stay references by their Content-ID, which begins with the figure's name.
"""

import asyncio
import email
from email.message import EmailMessage
from email.policy import default as default_policy
from html import escape

from pydantic import ValidationError

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.responder import Answer, Request, Responder
from nightmail_common.broker.results import ResultDamaged, ResultGone
from nightmail_common.contract.events import ResultReady, RunFailed
from nightmail_common.contract.limits import MAX_MAILER_RENDERINGS, MAX_RENDER_SECONDS, MAX_WAITING_RENDERINGS
from nightmail_common.contract.subjects import MAIL_RENDER, MAILERS
from nightmail_mailer.compose.links import Links
from nightmail_mailer.workflow import MailWorkflow

#: Nobody has this address (RFC 2606). The link to unsubscribe is a recipient's own, and is not shown.
RECIPIENT = "recipient@example.com"


class RenderRequests:
    """Answers requests for the rendered mail of an outcome."""

    def __init__(self, log: EventLog, workflow: MailWorkflow, links: Links | None) -> None:
        self._log = log
        self._workflow = workflow
        self._links = links
        self._at_once = asyncio.Semaphore(MAX_MAILER_RENDERINGS)

    def responder(self) -> Responder:
        most = MAX_MAILER_RENDERINGS + MAX_WAITING_RENDERINGS
        return Responder(MAIL_RENDER, MAILERS, self._answer, most, busy="the mailer is busy with other mails")

    async def _answer(self, request: Request) -> Answer:
        try:
            async with asyncio.timeout(MAX_RENDER_SECONDS), self._at_once:
                return await self._render(request)
        except (ResultGone, ResultDamaged) as error:
            return {"gone": str(error)}
        except TimeoutError:
            return {"error": f"the mail is not ready within {MAX_RENDER_SECONDS:.0f} s"}

    async def _render(self, request: Request) -> Answer:
        event = await self._event(request)
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

    async def _event(self, request: Request) -> ResultReady | RunFailed | None:
        if "result" in request:
            try:
                return ResultReady.model_validate(request["result"])
            except ValidationError as error:
                raise ValueError(f"the result has {error.error_count()} fields that are not valid") from None
        event = await self._log.outcome(int(str(request["sequence"])))
        return event if isinstance(event, ResultReady | RunFailed) else None


def _bodies(mail: bytes) -> dict[str, str]:
    message = email.message_from_bytes(mail, policy=default_policy)
    assert isinstance(message, EmailMessage)
    found = {kind: message.get_body((kind,)) for kind in ("html", "plain")}
    bodies = {kind: "" if part is None else str(part.get_content()) for kind, part in found.items()}
    return {"subject": str(message["Subject"]), "html": bodies["html"], "text": bodies["plain"]}
