"""The client: one object per Nightmail, with the calls by what they are about."""

from collections.abc import AsyncIterator
from typing import Any, Self, cast

import httpx

from nightmail_client.asynchronous.events import AsyncEventCalls
from nightmail_client.asynchronous.files import AsyncFileCalls
from nightmail_client.asynchronous.jobs import AsyncJobCalls
from nightmail_client.asynchronous.mails import AsyncMailCalls
from nightmail_client.asynchronous.runs import AsyncRunCalls
from nightmail_client.asynchronous.schedules import AsyncScheduleCalls
from nightmail_client.asynchronous.tokens import AsyncTokenCalls
from nightmail_client.asynchronous.transport import AsyncTransport
from nightmail_client.records import CallerRecord, CodeRecord, SystemRecord

#: Longer than the API waits for the runner's answer to a preview.
TIMEOUT_SECONDS = 120.0


class AsyncNightmail:
    """A Nightmail whose API answers at a URL.

    Every call can raise `CannotReach` (no API answers), `NotAllowed` (the token is unknown, or its role does not permit the
    call) and `NightmailError` (the API refuses the call; its subclasses say why, its `fields` say where).

    Args:
        url: for instance `http://127.0.0.1:8080`.
        token: a token of the API; its role decides what is permitted.
        timeout_seconds: how long one call may take.
    """

    def __init__(self, url: str, token: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._transport = AsyncTransport(url, token, timeout_seconds)
        self.url = self._transport.url
        self.jobs = AsyncJobCalls(self._transport)
        self.runs = AsyncRunCalls(self._transport)
        self.mails = AsyncMailCalls(self._transport)
        self.events = AsyncEventCalls(self._transport)
        self.schedules = AsyncScheduleCalls(self._transport)
        self.tokens = AsyncTokenCalls(self._transport)
        self.files = AsyncFileCalls(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def me(self) -> CallerRecord:
        """Return whose token this is, and what it permits."""
        return await self._transport.json(CallerRecord, "GET", "/me")

    async def system(self) -> SystemRecord:
        """Return the services with their replicas and backlog, the SMTP server, and what is wrong."""
        return await self._transport.json(SystemRecord, "GET", "/system")

    async def overview(self) -> dict[str, Any]:
        """Return how things stand, in one answer of bounded size."""
        return await self._transport.json(dict[str, Any], "GET", "/overview")

    async def send_test_mail(self, recipient: str) -> list[dict[str, Any]]:
        """Let a mailer send a test mail, and return the steps of its SMTP session up to the first that failed."""
        answer = await self.send("POST", "/system/test-mail", json={"recipient": recipient})
        return cast("list[dict[str, Any]]", answer.json()["steps"])

    async def console_code(self) -> CodeRecord:
        """Return a code that signs the holder of this token in to the console once, within ten minutes."""
        return await self._transport.json(CodeRecord, "POST", "/session/codes")

    async def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send any request of the API, with the arguments of `httpx.Client.request`; an error response is raised."""
        return await self._transport.send(method, path, **request)

    async def try_send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send any request of the API as `send` does, and return an error response, too."""
        return await self._transport.try_send(method, path, **request)

    def pages(self, path: str, limit: int | None = None, **query: str | None) -> AsyncIterator[dict[str, Any]]:
        """Yield at most `limit` items of any paginated list of the API; None: all."""
        return self._transport.pages(dict[str, Any], path, limit, **query)
