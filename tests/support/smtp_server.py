"""A real SMTP server on a free port that keeps the mails that it accepts; a test's hooks make it fail."""

import asyncio
import email
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.policy import default
from typing import Any
from weakref import WeakKeyDictionary

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from support.ports import free_port

#: Takes the recipient; returns the server's reply, or None to go on.
Hook = Callable[[str], Awaitable[str | None]]
#: Takes the number of the MAIL command in its session, from 1; returns as a `Hook` does.
MailHook = Callable[[int], Awaitable[str | None]]

DROP = "drop"


class _Limited(SMTP):
    """Turns connections away beyond a limit, as Postfix does."""

    @property
    def _server(self) -> "SmtpServer":
        assert isinstance(self.event_handler, SmtpHandler)
        return self.event_handler.server

    async def push(self, status: str | bytes) -> None:
        """Send a reply, whose bytes may be none of UTF-8 (`surrogateescape`)."""
        await super().push(status.encode("utf-8", "surrogateescape") if isinstance(status, str) else status)

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


async def _go_on(_: object) -> str | None:
    return None


class SmtpServer:
    """Accepts every mail unless a hook replies otherwise. Hooks run in the server's own thread and event loop.

    `after_data` runs once the server has the whole mail and before it is kept; `after_accepting` when it is kept and
    before the reply. A hook that returns `DROP` ends the connection without a reply.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._kept: list[tuple[str, bytes]] = []
        #: The envelope senders of the mails that were kept; `<>` is the null sender.
        self.senders: list[str] = []
        self.accepts_null_sender = True
        self.max_connections = 1000
        self.open_connections = 0
        self.on_mail: MailHook = _go_on
        self.on_rcpt: Hook = _go_on
        self.after_data: Hook = _go_on
        self.after_accepting: Hook = _go_on
        #: The last mail that came whole, kept or not.
        self.last_content = b""
        self.data_size_limit = 33554432
        #: Further arguments of aiosmtpd: TLS, AUTH.
        self.options: dict[str, Any] = {}
        #: Of aiosmtpd; a subclass adds mechanisms of AUTH.
        self.handler: type[SmtpHandler] = SmtpHandler
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
            self.handler(self),
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
        """Stop as a server that dies: no connection gets a further reply."""
        if self._controller is not None:
            controller, self._controller = self._controller, None
            controller.stop()


class SmtpHandler:
    """aiosmtpd's handler. It has no properties, because aiosmtpd inspects every member for every connection."""

    def __init__(self, server: "SmtpServer") -> None:
        self.server = server
        self.mails_of: WeakKeyDictionary[Session, int] = WeakKeyDictionary()

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: Any
    ) -> Any:
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        count = self.mails_of[session] = self.mails_of.get(session, 0) + 1
        if (reply := await self.server.on_mail(count)) is not None:
            return _send_reply(server, reply)
        if address == "<>" and not self.server.accepts_null_sender:
            return "553 5.7.1 the sender must be your mailbox"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if (reply := await self.server.on_rcpt(address)) is not None:
            return _send_reply(server, reply)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        recipient = envelope.rcpt_tos[0]
        assert isinstance(envelope.content, bytes)
        self.server.last_content = envelope.content
        if (reply := await self.server.after_data(recipient)) is not None:
            return _send_reply(server, reply)
        content = envelope.content
        assert isinstance(content, bytes)
        self.server.senders.append(envelope.mail_from or "")
        self.server.keep(recipient, content)
        if (reply := await self.server.after_accepting(recipient)) is not None:
            return _send_reply(server, reply)
        return "250 taken"


def _send_reply(server: SMTP, reply: str) -> str:
    if reply == DROP:
        assert isinstance(server.transport, asyncio.Transport)
        server.transport.abort()
        return "421 gone"
    return reply


class Once:
    """A hook that replies to the first mail for each recipient (or each one named) and accepts every later one."""

    def __init__(self, reply: str | dict[str, str]) -> None:
        self._reply = reply
        self._seen: set[str] = set()

    async def __call__(self, recipient: str) -> str | None:
        if recipient in self._seen:
            return None
        self._seen.add(recipient)
        return self._reply if isinstance(self._reply, str) else self._reply.get(recipient)


class Hang:
    """A hook that hangs for one recipient until `release`, and then drops the connection or returns `then`."""

    def __init__(self, recipient: str, then: str | None = DROP) -> None:
        self._recipient = recipient
        self._then = then
        self.is_reached = False
        self._released = False

    async def __call__(self, recipient: str) -> str | None:
        if recipient != self._recipient or self._released:
            return None
        self.is_reached = True
        while not self._released:  # noqa: ASYNC110 (released by another thread)
            await asyncio.sleep(0.01)
        return self._then

    def release(self) -> None:
        self._released = True
