"""STARTTLS with a certificate that must be trusted, and AUTH: what the mailer asks of a server, and what it says."""

import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from conftest import eventually
from mailer.processes import MailerProcess, mail_event, result_of
from mailer.smtp_server import SmtpServer
from nightmail_common.events import MailSent
from nightmail_common.job import Job
from nightmail_common.log import EventLog

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]
SECURE = {"smtp_security": "starttls", "smtp_username": "nightmail", "smtp_password": "right"}

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="no openssl on this machine to make a certificate"
)


@pytest.fixture
def secure_server(smtp_server: SmtpServer, tmp_path: Path) -> SmtpServer:
    """The SMTP server, now with STARTTLS and AUTH; its certificate is in `server.pem`, trusted by nobody."""
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *request.split(), "-out", certificate, "-keyout", key], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def authenticate(
        _server: object, _session: object, _envelope: object, _mechanism: str, given: object
    ) -> AuthResult:
        right = isinstance(given, LoginPassword) and given == LoginPassword(b"nightmail", b"right")
        return AuthResult(success=right, handled=False)

    smtp_server.stop()
    smtp_server.options = {
        "tls_context": context,
        "require_starttls": True,
        "authenticator": authenticate,
        "auth_required": True,
    }
    smtp_server.start()
    return smtp_server


async def why_not_ready(mailer: MailerProcess, expected: str) -> None:
    async def says() -> bool:
        return expected in (await mailer.readiness()).get("dependencies", {}).get("smtp", "").lower()

    await eventually(says, f"readiness says {expected}")


async def test_mail_goes_over_starttls_to_a_server_that_is_trusted_and_knows_the_password(
    start_mailer: Start, secure_server: SmtpServer, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    shutil.copy(tmp_path / "server.pem", tmp_path / "trusted.pem")
    start_mailer(**SECURE)
    event = result_of(make_job())
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)


async def test_a_server_with_a_certificate_that_nobody_trusts_gets_no_mail(
    start_mailer: Start, secure_server: SmtpServer
) -> None:
    await why_not_ready(start_mailer(**SECURE), "certificate")


async def test_a_wrong_password_is_said_by_readiness_and_no_mail_is_lost(
    start_mailer: Start, secure_server: SmtpServer, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    shutil.copy(tmp_path / "server.pem", tmp_path / "trusted.pem")
    event = result_of(make_job())
    await event_log.publish(event)
    wrong = start_mailer(**SECURE | {"smtp_password": "wrong"})
    await why_not_ready(wrong, "535")
    wrong.stop()
    start_mailer(**SECURE)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
