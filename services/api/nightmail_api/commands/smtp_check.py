"""Test mails: a mailer has the SMTP server's credentials, and the API asks it."""

import json
from typing import Any

import nats.errors
from nats.aio.client import Client

from nightmail_api.access.quota import Quota
from nightmail_api.http.problems import NotReady
from nightmail_common.contract.limits import MAX_API_TEST_MAILS, MAX_TEST_MAIL_SECONDS, MAX_TOKEN_TEST_MAILS
from nightmail_common.contract.subjects import TEST_MAIL

#: Longer than a mailer takes.
DEADLINE_SECONDS = MAX_TEST_MAIL_SECONDS + 10


class SmtpChecks:
    """Asks a mailer to send a test mail, as a NATS request."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._quota = Quota("test mails", MAX_TOKEN_TEST_MAILS, MAX_API_TEST_MAILS)

    async def send(self, recipient: str, caller: str) -> list[dict[str, Any]]:
        """Send a test mail, and return the steps of the SMTP session up to the first that failed.

        Raises:
            TooManyRequests: the caller, or all callers of this replica, have too many under way.
            NotReady: no mailer answers in time, or the broker does not answer.
        """
        if not self._client.is_connected:
            raise NotReady("the broker does not answer")
        body = json.dumps({"recipient": recipient}).encode()
        with self._quota.hold(caller):
            try:
                reply = await self._client.request(TEST_MAIL, body, timeout=DEADLINE_SECONDS)
            except nats.errors.NoRespondersError:
                raise NotReady("no mailer is available to send the test mail", retry_after_seconds=5) from None
            except nats.errors.TimeoutError:
                raise NotReady("no mailer answered in time", retry_after_seconds=30) from None
        answer: dict[str, Any] = json.loads(reply.data)
        if "error" in answer:
            raise NotReady(f"the test mail was not sent: {answer['error']}", retry_after_seconds=5)
        steps: list[dict[str, Any]] = answer["steps"]
        return steps
