"""A mailbox on an IMAP server (RFC 9051) as a source of delivery status notifications, over TLS from the first byte (RFC 8314)."""

import asyncio
import imaplib
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.limits import MAX_BOUNCE_BYTES, MAX_BOUNCES_READ
from nightmail_mailer.bounces.imap_address import ImapAddress
from nightmail_mailer.bounces.mailbox import MailboxUnavailable
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.access_tokens import AccessTokens, NoAccessToken, access_tokens

#: How long a connection, and each answer of the server, may take.
TIMEOUT_SECONDS = 20.0
_REFUSED = "the server refuses the user name of NIGHTMAIL_BOUNCE_IMAP_URL, or {}"

logger = structlog.get_logger()

T = TypeVar("T")


class ImapMailbox:
    """Marks each mail as seen once it is read; nothing is moved or deleted. Any number of mailers may read it.

    A mail is fetched without being marked (BODY.PEEK), so that one that was not finished is found again. The connection
    lasts from `unread` to `close`. `imaplib` blocks, so it runs in threads.
    """

    #: Providers limit how often a client may connect.
    poll_seconds = 30.0

    def __init__(self, settings: MailerSettings) -> None:
        assert settings.bounce_imap_url is not None
        self._address = ImapAddress.of(settings.bounce_imap_url)
        self._password = settings.bounce_imap_password
        self._context = settings.tls_context
        self._tokens = None if self._password is not None else access_tokens(settings)
        self._connection: imaplib.IMAP4_SSL | None = None

    async def unread(self) -> list[str]:
        """Return the UIDs of the first mails that are not seen, after a connect.

        Raises:
            MailboxUnavailable: the server does not answer, or refuses the sign-in or the mailbox.
        """
        token = await _token_of(self._tokens)
        await self._in_thread(self._connect)
        await self._in_thread(lambda: self._sign_in(token))
        return await self._in_thread(self._search)

    async def read(self, name: str) -> bytes | None:
        """Return the beginning of a mail; None if it is no longer there."""
        return await self._in_thread(lambda: self._fetch(name))

    async def mark(self, name: str, *, is_bounce: bool) -> None:  # noqa: ARG002
        await self._in_thread(lambda: self._uid("STORE", name, "+FLAGS.SILENT", r"(\Seen)"))

    async def close(self) -> None:
        """Close the connection at once, which also ends a thread that waits for the server."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                await asyncio.to_thread(connection.shutdown)  # it waits for that thread

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(call)
        except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
            raise MailboxUnavailable(f"{self._address.host}:{self._address.port}: {describe_error(error)}") from None

    def _connect(self) -> None:
        self._connection = imaplib.IMAP4_SSL(
            self._address.host, self._address.port, ssl_context=self._context, timeout=TIMEOUT_SECONDS
        )

    def _sign_in(self, token: str | None) -> None:
        """Sign in and select the mailbox. The server's answer to a sign-in is in no error: it may repeat what was sent."""
        connection, user = self._open, self._address.user
        try:
            if token is not None:
                answers = iter((f"user={user}\1auth=Bearer {token}\1\1".encode(),))
                connection.authenticate("XOAUTH2", lambda _: next(answers, b""))
            elif "AUTH=PLAIN" in connection.capabilities:
                assert self._password is not None
                secret = self._password.get_secret_value()
                connection.authenticate("PLAIN", lambda _: f"\0{user}\0{secret}".encode())
            else:
                assert self._password is not None
                connection.login(user, self._password.get_secret_value())
        except (imaplib.IMAP4.abort, OSError):
            raise
        except (imaplib.IMAP4.error, UnicodeError):
            if self._tokens is not None:
                self._tokens.discard()
            wrong = "the access token" if self._tokens is not None else "NIGHTMAIL_BOUNCE_IMAP_PASSWORD"
            raise imaplib.IMAP4.error(_REFUSED.format(wrong)) from None
        status, answer = connection.select(self._address.quoted_mailbox)
        if status != "OK":
            raise imaplib.IMAP4.error(f"no mailbox {self._address.mailbox!r}: {_text(answer)}")

    def _search(self) -> list[str]:
        [found] = self._uid("SEARCH", "UNSEEN", "UNDELETED")[:1] or [b""]
        return [uid.decode() for uid in (found or b"").split()[:MAX_BOUNCES_READ]]

    def _fetch(self, uid: str) -> bytes | None:
        status, parts = self._open.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_BOUNCE_BYTES}>)")
        if status != "OK":  # of this mail: those behind it are read
            logger.warning("bounce_not_fetched", reason=_text(parts))
        return next((bytes(part[1])[:MAX_BOUNCE_BYTES] for part in parts if isinstance(part, tuple)), None)

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        status, answer = self._open.uid(command, *arguments)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{command}: {_text(answer)}")
        return answer

    @property
    def _open(self) -> imaplib.IMAP4_SSL:
        if self._connection is None:
            raise imaplib.IMAP4.abort("the connection is closed")
        return self._connection


async def _token_of(tokens: AccessTokens | None) -> str | None:
    try:
        return None if tokens is None else await tokens.get()
    except NoAccessToken as error:
        raise MailboxUnavailable(str(error)) from None


def _text(answer: list[Any]) -> str:
    return " ".join(part.decode("ascii", "replace") for part in answer if isinstance(part, bytes))
