"""The client: one object per Nightmail, with the calls by what they are about."""

from collections.abc import Iterator
from typing import Any, Self, cast

import httpx

from nightmail_client.blocking.events import EventCalls
from nightmail_client.blocking.files import FileCalls
from nightmail_client.blocking.jobs import JobCalls
from nightmail_client.blocking.mails import MailCalls
from nightmail_client.blocking.runs import RunCalls
from nightmail_client.blocking.schedules import ScheduleCalls
from nightmail_client.blocking.tokens import TokenCalls
from nightmail_client.blocking.transport import Transport
from nightmail_client.records import CallerRecord, CodeRecord, SystemRecord

#: Longer than the API waits for the runner's answer to a preview.
TIMEOUT_SECONDS = 120.0


class Nightmail:
    """A Nightmail whose API answers at a URL.

    Every call can raise `CannotReach` (no API answers), `NotAllowed` (the token is unknown, or its role does not permit the
    call) and `NightmailError` (the API refuses the call; its subclasses say why, its `fields` say where).

    Args:
        url: for instance `http://127.0.0.1:8080`.
        token: a token of the API; its role decides what is permitted.
        timeout_seconds: how long one call may take.
    """

    def __init__(self, url: str, token: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._transport = Transport(url, token, timeout_seconds)
        self.url = self._transport.url
        self.jobs = JobCalls(self._transport)
        self.runs = RunCalls(self._transport)
        self.mails = MailCalls(self._transport)
        self.events = EventCalls(self._transport)
        self.schedules = ScheduleCalls(self._transport)
        self.tokens = TokenCalls(self._transport)
        self.files = FileCalls(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def me(self) -> CallerRecord:
        """Return whose token this is, and what it permits."""
        return self._transport.json(CallerRecord, "GET", "/me")

    def system(self) -> SystemRecord:
        """Return the services with their replicas and backlog, the SMTP server, and what is wrong."""
        return self._transport.json(SystemRecord, "GET", "/system")

    def overview(self) -> dict[str, Any]:
        """Return how things stand, in one answer of bounded size."""
        return self._transport.json(dict[str, Any], "GET", "/overview")

    def send_test_mail(self, recipient: str) -> list[dict[str, Any]]:
        """Let a mailer send a test mail, and return the steps of its SMTP session up to the first that failed."""
        answer = self.send("POST", "/system/test-mail", json={"recipient": recipient})
        return cast("list[dict[str, Any]]", answer.json()["steps"])

    def console_code(self) -> CodeRecord:
        """Return a code that signs the holder of this token in to the console once, within ten minutes."""
        return self._transport.json(CodeRecord, "POST", "/session/codes")

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send any request of the API, with the arguments of `httpx.Client.request`; an error response is raised."""
        return self._transport.send(method, path, **request)

    def try_send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send any request of the API as `send` does, and return an error response, too."""
        return self._transport.try_send(method, path, **request)

    def pages(self, path: str, limit: int | None = None, **query: str | None) -> Iterator[dict[str, Any]]:
        """Yield at most `limit` items of any paginated list of the API; None: all."""
        return self._transport.pages(dict[str, Any], path, limit, **query)
