"""A check of the SMTP settings: a test mail in steps, and the step that fails. `nightmail mail test` shows it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiosmtplib

from nightmail_mailer.compose.plain_mail import plain_mail
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.access_tokens import access_tokens, sign_in
from nightmail_mailer.smtp.addresses import to_ascii_domain
from nightmail_mailer.smtp.connection import CONNECT_ERRORS
from nightmail_mailer.smtp.smtp_errors import describe_sender_refusal, describe_smtp_error, format_reply

#: A person waits at the terminal: a step that takes longer counts as failed.
STEP_TIMEOUT_SECONDS = 20.0
_TITLE = "A test of Nightmail's mail"
_TEXT = "Nightmail can send mail to this address.\n"


@dataclass(frozen=True)
class CheckStep:
    """One step: `detail` is the server's reply, or why the step failed and which setting to check."""

    name: str
    ok: bool
    detail: str


class _StepFailed(Exception):
    """A step failed; the message says why."""


async def check_smtp(settings: MailerSettings, recipient: str | None) -> AsyncIterator[CheckStep]:
    """Send a test mail with the mailer's own settings; yield each step once it is done, and stop at the first that fails.

    Args:
        recipient: None: stop before a mail begins.
    """
    session = _Session(settings, recipient or "")
    steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [("resolve", session.resolve), ("connect", session.connect)]
    if settings.smtp_security == "tls":
        steps.append(("TLS", session.greeting))
    else:
        steps.append(("greeting", session.greeting))
    if settings.smtp_security == "starttls":
        steps.append(("STARTTLS", session.starttls))
    if settings.smtp_username is not None:
        steps.append(("AUTH", session.log_in))
    if recipient is not None:
        steps += [("MAIL FROM", session.mail_from), ("RCPT TO", session.rcpt_to), ("DATA", session.data)]
    try:
        for name, run_step in steps:
            try:
                detail = await asyncio.wait_for(run_step(), STEP_TIMEOUT_SECONDS)
            except _StepFailed as error:
                yield CheckStep(name, ok=False, detail=str(error))
                return
            except CONNECT_ERRORS as error:
                yield CheckStep(name, ok=False, detail=describe_smtp_error(error))
                return
            yield CheckStep(name, ok=True, detail=detail)
    finally:
        await session.close()


class _Session:
    def __init__(self, settings: MailerSettings, recipient: str) -> None:
        self._settings = settings
        self._recipient = recipient
        self._addresses: list[tuple[int, tuple[str, int]]] = []
        self._smtp: aiosmtplib.SMTP | None = None
        self._socket: socket.socket | None = None

    @property
    def _server(self) -> str:
        return f"{self._settings.smtp_host}:{self._settings.smtp_port}"

    async def resolve(self) -> str:
        host, port = self._settings.smtp_host, self._settings.smtp_port
        try:
            resolved = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise _StepFailed(f"the host name {host} cannot be resolved (NIGHTMAIL_SMTP_HOST): {error}") from error
        self._addresses = [(family, (str(address[0]), port)) for family, _, _, _, address in resolved]
        return ", ".join(dict.fromkeys(address[0] for _, address in self._addresses))

    async def connect(self) -> str:
        """Try each address in turn. If all fail, the error is that of the last."""
        failure: OSError | None = None
        for family, address in self._addresses:
            attempt = socket.socket(family, socket.SOCK_STREAM)
            attempt.setblocking(False)
            try:
                await asyncio.wait_for(
                    asyncio.get_running_loop().sock_connect(attempt, address), STEP_TIMEOUT_SECONDS / 2
                )
            except OSError as error:
                attempt.close()
                failure = error
            else:
                self._socket = attempt
                return f"{address[0]}, port {address[1]}"
        assert failure is not None
        hint = "is NIGHTMAIL_SMTP_PORT right?"
        if isinstance(failure, TimeoutError):
            hint = "does a firewall block it? Many networks block port 25; try 587"
        raise _StepFailed(f"{self._server}: {describe_smtp_error(failure)}; {hint}") from failure

    async def greeting(self) -> str:
        """Wait for the server's greeting, after TLS with `smtp_security: tls`."""
        settings = self._settings
        secure = settings.smtp_security == "tls"
        self._smtp = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            sock=self._socket,
            use_tls=secure,
            start_tls=False,
            tls_context=None if settings.smtp_security == "none" else settings.tls_context,
            timeout=STEP_TIMEOUT_SECONDS,
        )
        self._socket = None  # the client closes it
        try:
            reply = await self._smtp.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _StepFailed(self._describe_missing_greeting(error)) from error
        if not secure:
            return format_reply(reply.code, reply.message)
        return f"{_tls(self._smtp)}; {format_reply(reply.code, reply.message)}"

    def _describe_missing_greeting(self, error: Exception) -> str:
        reason = describe_smtp_error(error)
        if self._settings.smtp_security == "tls":
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, ssl.SSLError):
                cause = cause.__cause__
            if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLCertVerificationError):
                return f"{reason}; does this port need NIGHTMAIL_SMTP_SECURITY=starttls?"
            return reason
        return f"{reason}; does this port need NIGHTMAIL_SMTP_SECURITY=tls?"

    async def starttls(self) -> str:
        smtp = await self._after_ehlo()
        if not smtp.supports_extension("starttls"):
            raise _StepFailed("the server offers no STARTTLS on this port; mail would be sent unencrypted")
        try:
            await smtp.starttls()
        except aiosmtplib.SMTPResponseException as error:
            reply = format_reply(error.code, error.message)
            when = "now" if error.code < 500 else "at all"
            raise _StepFailed(f"the server cannot start TLS {when}: {reply}") from error
        return _tls(smtp)

    async def log_in(self) -> str:
        settings, smtp = self._settings, await self._after_ehlo()
        if not smtp.supports_extension("auth"):
            many = "; many servers offer it only after TLS (NIGHTMAIL_SMTP_SECURITY)"
            hint = many if settings.smtp_security == "none" else ""
            raise _StepFailed(f"the server offers no AUTH on this port{hint}")
        if (tokens := access_tokens(settings)) is not None:
            reply = await sign_in(smtp, settings.smtp_username or "", tokens)
            return format_reply(reply.code, reply.message)
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
        reply = await smtp.login(settings.smtp_username or "", password)
        return format_reply(reply.code, reply.message)

    async def mail_from(self) -> str:
        smtp = await self._after_ehlo()
        if not to_ascii_domain(self._recipient).isascii() and not smtp.supports_extension("smtputf8"):
            raise _StepFailed("the server accepts no addresses like the recipient's (no SMTPUTF8)")
        options = [] if to_ascii_domain(self._recipient).isascii() else ["SMTPUTF8"]
        try:
            accepted = await smtp.mail(self._settings.smtp_from, options=options, encoding="utf-8")
        except aiosmtplib.SMTPSenderRefused as error:
            raise _StepFailed(describe_sender_refusal(error.code, error.message)) from error
        return format_reply(accepted.code, accepted.message)

    async def rcpt_to(self) -> str:
        try:
            accepted = await self._connected.rcpt(to_ascii_domain(self._recipient), encoding="utf-8")
        except aiosmtplib.SMTPRecipientRefused as error:
            reply = format_reply(error.code, error.message)
            how_long = "for now" if error.code < 500 else "permanently"
            raise _StepFailed(f"the server refuses the recipient {how_long}: {reply}") from error
        return format_reply(accepted.code, accepted.message)

    async def data(self) -> str:
        smtp = self._connected
        try:
            accepted = await smtp.data(plain_mail(self._settings.smtp_from, self._recipient, _TITLE, _TEXT, "test"))
        except aiosmtplib.SMTPDataError as error:
            raise _StepFailed(
                f"the server refuses the mail itself: {format_reply(error.code, error.message)}"
            ) from error
        return format_reply(accepted.code, accepted.message)

    async def close(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        if self._socket is not None:
            self._socket.close()

    async def _after_ehlo(self) -> aiosmtplib.SMTP:
        smtp = self._connected
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        return smtp

    @property
    def _connected(self) -> aiosmtplib.SMTP:
        assert self._smtp is not None
        return self._smtp


def _tls(smtp: aiosmtplib.SMTP) -> str:
    secured = smtp.get_transport_info("ssl_object")
    return f"{secured.version()}, the certificate is trusted"
