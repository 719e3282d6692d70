"""One SMTP connection: opened, checked after a pause, closed."""

import asyncio
import re
from contextlib import suppress

import aiosmtplib

from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.access_tokens import AccessTokenRefused, AccessTokens, NoAccessToken, sign_in

CONNECT_TIMEOUT_SECONDS = 15.0
NOOP_TIMEOUT_SECONDS = 5.0
QUIT_TIMEOUT_SECONDS = 1.0
#: The number of the SIZE extension (RFC 1870 section 5).
_SIZE = re.compile(r"[0-9]{1,20}")


#: What `open_connection` raises.
CONNECT_ERRORS = (aiosmtplib.SMTPException, OSError, ValueError, NoAccessToken)


async def open_connection(settings: MailerSettings, tokens: AccessTokens | None = None) -> aiosmtplib.SMTP:
    """Return a connection after TLS, AUTH and EHLO. A kept access token that the server refuses is replaced once.

    Raises:
        aiosmtplib.SMTPException, OSError, ValueError, NoAccessToken: there is none; `describe_smtp_error` says why.
    """
    try:
        return await _open(settings, tokens)
    except AccessTokenRefused:
        if tokens is None or not tokens.discard():
            raise
    return await _open(settings, tokens)


async def _open(settings: MailerSettings, tokens: AccessTokens | None) -> aiosmtplib.SMTP:
    with_password = tokens is None and settings.smtp_username is not None
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    connection = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username if with_password else None,
        password=password if with_password else None,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        tls_context=None if settings.smtp_security == "none" else settings.tls_context,
        timeout=CONNECT_TIMEOUT_SECONDS,
    )
    try:
        await connection.connect()
        if tokens is not None:
            await sign_in(connection, settings.smtp_username or "", tokens)
        if connection.is_ehlo_or_helo_needed:
            await connection.ehlo()
    except BaseException:
        connection.close()
        raise
    return connection


def size_limit(connection: aiosmtplib.SMTP) -> int | None:
    """Return the largest mail that the server accepts (RFC 1870); None if it does not say."""
    size = connection.esmtp_extensions.get("size", "")
    return int(size) or None if _SIZE.fullmatch(size) else None


def is_catcher(connection: aiosmtplib.SMTP) -> bool:
    """Return whether the server is the catcher of `nightmail up`, which delivers nothing."""
    return connection.supports_extension("x-nightmail-catcher")


async def answers(connection: aiosmtplib.SMTP) -> bool:
    """Send NOOP; False if the server closed the connection or does not reply in time."""
    try:
        await connection.noop(timeout=NOOP_TIMEOUT_SECONDS)
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True


async def check_sender(connection: aiosmtplib.SMTP, sender: str) -> None:
    """Begin a mail and cancel it.

    Raises:
        aiosmtplib.SMTPSenderRefused: the server refuses the sender.
        aiosmtplib.SMTPException, OSError: the server does not answer.
    """
    await connection.mail(sender, encoding="utf-8", timeout=CONNECT_TIMEOUT_SECONDS)
    await connection.rset(timeout=CONNECT_TIMEOUT_SECONDS)


def abort(connection: aiosmtplib.SMTP) -> None:
    """Close a connection at once: a usual close waits until a server that hangs has read the rest."""
    if isinstance(connection.transport, asyncio.WriteTransport):
        connection.transport.abort()
    connection.close()


async def quit_connection(connection: aiosmtplib.SMTP) -> None:
    with suppress(aiosmtplib.SMTPException, OSError):
        await connection.quit(timeout=QUIT_TIMEOUT_SECONDS)
    connection.close()
