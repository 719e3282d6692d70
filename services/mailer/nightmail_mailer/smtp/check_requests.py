"""Sends test mails on request: the console's `System` page and `POST /system/test-mail` ask for them.

A request on `preview.test-mail` (queue group `mailers`: one mailer answers) is JSON, `{"recipient": ...}`. The answer is
JSON: `{"steps": [{"step", "ok", "detail"}]}` up to the first step that failed, or `{"error": ...}`.
"""

import asyncio
import json
from contextlib import suppress

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.limits import MAX_MAILER_TEST_MAILS, MAX_TEST_MAIL_SECONDS
from nightmail_common.contract.subjects import TEST_MAIL
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.smtp_check import check_smtp

QUEUE = "mailers"

logger = structlog.get_logger()


class SmtpCheckRequests:
    """Answers requests for a test mail, each with a connection of its own; every request gets an answer."""

    def __init__(self, settings: MailerSettings) -> None:
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, client: Client) -> None:
        await client.subscribe(TEST_MAIL, QUEUE, self._accept)
        await client.flush()  # who sees the service ready finds a responder

    async def stop(self) -> None:
        """End the test mails under way."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    async def _accept(self, message: Msg) -> None:
        if len(self._tasks) >= MAX_MAILER_TEST_MAILS:
            await message.respond(json.dumps({"error": "the mailer sends other test mails"}).encode())
            return
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Msg) -> None:
        steps: list[dict[str, object]] = []
        answer: dict[str, object] = {"steps": steps}
        try:
            async with asyncio.timeout(MAX_TEST_MAIL_SECONDS):
                async for step in check_smtp(self._settings, json.loads(message.data)["recipient"]):
                    one = {"step": step.name, "ok": step.ok, "detail": step.detail}
                    steps.append(one)
        except TimeoutError:
            steps.append({"step": "time", "ok": False, "detail": f"not sent within {MAX_TEST_MAIL_SECONDS:.0f} s"})
        except Exception as error:  # the caller waits for an answer
            logger.exception("test_mail_failed")
            answer = {"error": describe_error(error)}
        else:
            logger.info("test_mail", ok=all(step["ok"] for step in steps))
        with suppress(*BROKER_ERRORS):
            await message.respond(json.dumps(answer).encode())
