"""A real SMTP server on a free port that keeps what it accepts and misbehaves where a test says so."""

import asyncio
import email
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from support.ports import free_port

#: Gets the recipient; returns the server's answer, or None to go on.
Hook = Callable[[str], Awaitable[str | None]]

DROP = "drop"


class _Limited(SMTP):
    """Turns away whoever comes when enough are there, as Postfix does."""

    @property
    def _server(self) -> "SmtpServer":
        assert isinstance(self.event_handler, _Handler)
        return self.event_handler.server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        server = self._server
        self._counted = server.open_connections < server.max_connections
        if self._counted:
            server.open_connections += 1
            super().connection_made(transport)
        else:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"421 too many connections\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        server = self._server
        if self._counted:
            server.open_connections -= 1
            super().connection_lost(error)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Limited(self.handler, **self.SMTP_kwargs)


async def _go_on(_: str) -> str | None:
    return None


class SmtpServer:
    """Accepts everything until a hook says otherwise. Hooks run in the server's own thread and loop.

    `after_data` runs once the mail is handed over and before it is kept; `after_accepting` when it is kept and
    before the server says so. A hook that answers `DROP` ends the connection without an answer.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._kept: list[tuple[str, bytes]] = []
        self.max_connections = 1000
        self.open_connections = 0
        self.on_rcpt: Hook = _go_on
        self.after_data: Hook = _go_on
        self.after_accepting: Hook = _go_on
        self.data_size_limit = 33554432
        #: What only some tests want of aiosmtpd: TLS, AUTH.
        self.options: dict[str, Any] = {}
        self._controller: Controller | None = None

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self._kept]

    @property
    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(content, policy=default) for _, content in self._kept]

    @property
    def accepted(self) -> list[tuple[str, EmailMessage]]:
        return list(zip(self.recipients, self.mails, strict=True))

    def start(self) -> None:
        self._controller = _Controller(
            _Handler(self),
            hostname="127.0.0.1",
            port=self.port,
            enable_SMTPUTF8=True,
            data_size_limit=self.data_size_limit,
            ident="test",
            **self.options,
        )
        self._controller.start()

    def keep(self, recipient: str, content: bytes) -> None:
        self._kept.append((recipient, content))

    def stop(self) -> None:
        """Go away as a server that dies: whoever is connected is cut off."""
        if self._controller is not None:
            controller, self._controller = self._controller, None
            controller.stop()


class _Handler:
    """What aiosmtpd calls. It has no properties: aiosmtpd looks at every member for every connection."""

    def __init__(self, server: "SmtpServer") -> None:
        self.server = server

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: Any
    ) -> Any:
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if (answer := await self.server.on_rcpt(address)) is not None:
            return _answer(server, answer)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        recipient = envelope.rcpt_tos[0]
        if (answer := await self.server.after_data(recipient)) is not None:
            return _answer(server, answer)
        content = envelope.content
        assert isinstance(content, bytes)
        self.server.keep(recipient, content)
        if (answer := await self.server.after_accepting(recipient)) is not None:
            return _answer(server, answer)
        return "250 taken"


def _answer(server: SMTP, answer: str) -> str:
    if answer == DROP:
        assert isinstance(server.transport, asyncio.Transport)
        server.transport.abort()
        return "421 gone"
    return answer


class Once:
    """A hook that answers the first time for each recipient (or those named), and lets every later try through."""

    def __init__(self, answer: str | dict[str, str]) -> None:
        self._answer = answer
        self._seen: set[str] = set()

    async def __call__(self, recipient: str) -> str | None:
        if recipient in self._seen:
            return None
        self._seen.add(recipient)
        return self._answer if isinstance(self._answer, str) else self._answer.get(recipient)


class Hang:
    """A hook that hangs for one recipient until it is let go, and then ends the connection."""

    def __init__(self, recipient: str, then: str | None = DROP) -> None:
        self._recipient = recipient
        self._then = then
        self.hanging = False
        self._released = False

    async def __call__(self, recipient: str) -> str | None:
        if recipient != self._recipient or self._released:
            return None
        self.hanging = True
        while not self._released:  # noqa: ASYNC110 (let go from another thread)
            await asyncio.sleep(0.01)
        return self._then

    def release(self) -> None:
        self._released = True
