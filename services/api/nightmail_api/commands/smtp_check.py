"""Test mails: the API asks a mailer, which has the SMTP server's credentials."""

from typing import Any

from nats.aio.client import Client

from nightmail_api.access.quota import Quota
from nightmail_api.commands.mailer_requests import ask_mailer
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
            TooManyRequests: the caller, or all callers of this replica, have too many in progress.
            NotReady: no mailer answers in time, or the broker does not answer.
        """
        request = {"recipient": recipient}
        with self._quota.hold(caller):
            answer = await ask_mailer(self._client, TEST_MAIL, request, DEADLINE_SECONDS, "send the test mail")
        steps: list[dict[str, Any]] = answer["steps"]
        return steps
