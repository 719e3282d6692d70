"""Sends test mails on request: the console's `System` page and `POST /system/test-mail` ask for them.

A request on `preview.test-mail` is `{"recipient": ...}`. The answer is `{"steps": [{"step", "ok", "detail"}]}` up to the
first step that failed, or `{"error": ...}`.
"""

import asyncio

import structlog

from nightmail_common.broker.responder import Answer, Request, Responder
from nightmail_common.contract.limits import MAX_MAILER_TEST_MAILS, MAX_TEST_MAIL_SECONDS
from nightmail_common.contract.subjects import MAILERS, TEST_MAIL
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.smtp_check import check_smtp

logger = structlog.get_logger()


def smtp_checks(settings: MailerSettings) -> Responder:
    """Return what answers requests for a test mail, each with a connection of its own."""

    async def check(request: Request) -> Answer:
        steps: list[dict[str, object]] = []
        try:
            async with asyncio.timeout(MAX_TEST_MAIL_SECONDS):
                async for step in check_smtp(settings, str(request["recipient"])):
                    one = {"step": step.name, "ok": step.ok, "detail": step.detail}
                    steps.append(one)
        except TimeoutError:
            steps.append({"step": "time", "ok": False, "detail": f"not sent within {MAX_TEST_MAIL_SECONDS:.0f} s"})
        logger.info("test_mail", ok=all(step["ok"] for step in steps))
        return {"steps": steps}

    return Responder(TEST_MAIL, MAILERS, check, MAX_MAILER_TEST_MAILS, busy="the mailer sends other test mails")
