"""Mails the result of a dry run once, to one address: the console's "Send me this once" asks for it.

A request on `preview.send` is `{"result": ..., "recipient": ...}`: the `result-ready` of the dry run, which is not in the
log. The answer is `{"outcome", "answer"}`, the outcome as of a delivery (`accepted`, `refused`, `deferred` or `lost`) and the
server's reply, or `{"error": ...}`. There is one attempt: the person who waits tries again.
"""

import asyncio

import structlog

from nightmail_common.broker.responder import Answer, Request, Responder
from nightmail_common.broker.results import ResultDamaged, ResultGone
from nightmail_common.contract.events import ResultReady
from nightmail_common.contract.limits import MAX_MAILER_TEST_MAILS, MAX_SEND_PREVIEW_SECONDS
from nightmail_common.contract.subjects import MAIL_SEND, MAILERS
from nightmail_mailer.compose.errors import CannotRender
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.delivery import send_renditions
from nightmail_mailer.result_mails import ResultMails
from nightmail_mailer.smtp.client import SmtpClient

logger = structlog.get_logger()


def preview_mails(mails: ResultMails, smtp: SmtpClient) -> Responder:
    """Return what answers requests to mail the result of a dry run.

    Args:
        mails: renders without links, which would name a run that does not exist.
    """

    async def send(request: Request) -> Answer:
        event = ResultReady.model_validate(request["result"])
        mail_job = MailJob(event.job, event.run_id, "result", ())
        try:
            async with asyncio.timeout(MAX_SEND_PREVIEW_SECONDS):
                renditions = await mails.render(mail_job, event, *await mails.read(event))
                result = await send_renditions(smtp, mail_job.kind, renditions, str(request["recipient"]))
        except (ResultGone, ResultDamaged, CannotRender) as error:
            return {"error": str(error)}
        except TimeoutError:
            return {
                "error": f"the server did not accept it within {MAX_SEND_PREVIEW_SECONDS:.0f} s; it may have arrived"
            }
        logger.info("preview_mailed", outcome=result.outcome)
        return {"outcome": result.outcome, "answer": result.text}

    return Responder(MAIL_SEND, MAILERS, send, MAX_MAILER_TEST_MAILS, busy="the mailer sends other mails of previews")
