"""A test mail, step by step: at which one SMTP fails, in words. `nightmail mail test` shows it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import uuid4

import aiosmtplib

from nightmail_mailer.compose.message_ids import DOMAIN
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.addresses import on_the_wire
from nightmail_mailer.smtp.smtp_errors import answer, why

#: Somebody sits and waits; a server that takes longer is named by the step at which it does.
STEP_TIMEOUT_SECONDS = 20.0

_START_MAIL_INPUT = 354


@dataclass(frozen=True)
class Step:
    """One step and what came of it: what the server said, or why it failed and what to look at."""

    name: str
    ok: bool
    detail: str


class _StepFailed(Exception):
    """A step does not work; the message says why."""


async def try_out(settings: MailerSettings, recipient: str) -> AsyncIterator[Step]:
    """Send a test mail with the mailer's own settings; yield each step as it is done, the last one is the first to fail."""
    trial = _Trial(settings, recipient)
    steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [("resolve", trial.resolve), ("connect", trial.connect)]
    if settings.smtp_security == "tls":
        steps.append(("TLS", trial.greeting))
    else:
        steps.append(("greeting", trial.greeting))
    if settings.smtp_security == "starttls":
        steps.append(("STARTTLS", trial.starttls))
    if settings.smtp_username is not None:
        steps.append(("AUTH", trial.log_in))
    steps += [("MAIL FROM", trial.mail_from), ("RCPT TO", trial.rcpt_to), ("DATA", trial.data)]
    try:
        for name, take in steps:
            try:
                detail = await asyncio.wait_for(take(), STEP_TIMEOUT_SECONDS)
            except _StepFailed as error:
                yield Step(name, ok=False, detail=str(error))
                return
            except (aiosmtplib.SMTPException, OSError, ValueError) as error:
                yield Step(name, ok=False, detail=why(error))
                return
            yield Step(name, ok=True, detail=detail)
    finally:
        await trial.close()


class _Trial:
    def __init__(self, settings: MailerSettings, recipient: str) -> None:
        self._settings = settings
        self._recipient = recipient
        self._found: list[tuple[int, tuple[str, int]]] = []
        self._smtp: aiosmtplib.SMTP | None = None
        self._socket: socket.socket | None = None

    @property
    def _where(self) -> str:
        return f"{self._settings.smtp_host}:{self._settings.smtp_port}"

    async def resolve(self) -> str:
        host, port = self._settings.smtp_host, self._settings.smtp_port
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise _StepFailed(f"nobody knows the name {host} (NIGHTMAIL_SMTP_HOST): {error}") from error
        self._found = [(family, (str(address[0]), port)) for family, _, _, _, address in found]
        return ", ".join(dict.fromkeys(address[0] for _, address in self._found))

    async def connect(self) -> str:
        """Try each address, as every SMTP client does; what is told is why the last one failed."""
        failure: OSError | None = None
        for family, address in self._found:
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
        raise _StepFailed(f"{self._where}: {why(failure)}; {hint}") from failure

    async def greeting(self) -> str:
        """Wait for the server's first line, after TLS if that comes first."""
        settings = self._settings
        secure = settings.smtp_security == "tls"
        self._smtp = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            sock=self._socket,
            use_tls=secure,
            start_tls=False,
            timeout=STEP_TIMEOUT_SECONDS,
        )
        self._socket = None  # it is the client's now
        try:
            said = await self._smtp.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _StepFailed(self._why_no_greeting(error)) from error
        if not secure:
            return answer(said.code, said.message)
        return f"{_tls(self._smtp)}; {answer(said.code, said.message)}"

    def _why_no_greeting(self, error: Exception) -> str:
        reason = why(error)
        if self._settings.smtp_security == "tls":
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, ssl.SSLError):
                cause = cause.__cause__
            if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLCertVerificationError):
                return f"{reason}; does this port want NIGHTMAIL_SMTP_SECURITY=starttls?"
            return reason
        return f"{reason}; does this port want NIGHTMAIL_SMTP_SECURITY=tls?"

    async def starttls(self) -> str:
        smtp = await self._introduced()
        if not smtp.supports_extension("starttls"):
            raise _StepFailed("the server offers no STARTTLS here; mail would travel in the clear")
        await smtp.starttls()
        return _tls(smtp)

    async def log_in(self) -> str:
        settings, smtp = self._settings, await self._introduced()
        if not smtp.supports_extension("auth"):
            hint = "" if settings.smtp_security != "none" else "; many do only after TLS (NIGHTMAIL_SMTP_SECURITY)"
            raise _StepFailed(f"the server wants no user name here{hint}")
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
        said = await smtp.login(settings.smtp_username or "", password)
        return answer(said.code, said.message)

    async def mail_from(self) -> str:
        smtp = await self._introduced()
        if not on_the_wire(self._recipient).isascii() and not smtp.supports_extension("smtputf8"):
            raise _StepFailed("the server takes no addresses like the recipient's (no SMTPUTF8)")
        options = [] if on_the_wire(self._recipient).isascii() else ["SMTPUTF8"]
        try:
            said = await smtp.mail(self._settings.smtp_from, options=options, encoding="utf-8")
        except aiosmtplib.SMTPSenderRefused as error:
            said_why = answer(error.code, error.message)
            raise _StepFailed(f"the server refuses the sender (NIGHTMAIL_SMTP_FROM): {said_why}") from error
        return answer(said.code, said.message)

    async def rcpt_to(self) -> str:
        try:
            said = await self._connected.rcpt(on_the_wire(self._recipient), encoding="utf-8")
        except aiosmtplib.SMTPRecipientRefused as error:
            said_why = answer(error.code, error.message)
            later = "for now" if error.code < 500 else "for good"
            raise _StepFailed(f"the server refuses the recipient {later}: {said_why}") from error
        return answer(said.code, said.message)

    async def data(self) -> str:
        smtp = self._connected
        try:
            said = await smtp.data(_mail(self._settings.smtp_from, on_the_wire(self._recipient)))
        except aiosmtplib.SMTPDataError as error:
            raise _StepFailed(f"the server refuses the mail itself: {answer(error.code, error.message)}") from error
        return answer(said.code, said.message)

    async def close(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        if self._socket is not None:
            self._socket.close()

    async def _introduced(self) -> aiosmtplib.SMTP:
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


def _mail(sender: str, recipient: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = "A test of Nightmail's mail"
    mail["From"] = Address(display_name="Nightmail", addr_spec=sender)
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{uuid4()}.test@{DOMAIN}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("Nightmail can send mail to this address.\n")
    return f"To: {recipient}\r\n".encode() + mail.as_bytes()
