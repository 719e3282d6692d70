"""TLS with a trusted certificate, and AUTH: what the mailer demands of a server, and the reasons in its readiness."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailSent
from nightmail_common.contract.job import Job
from support.certificates import server_context
from support.deadlines import eventually
from support.mailer_process import MailerProcess, mail_event, result_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]
#: aiosmtpd warns about AUTH on a server with implicit TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
LOGIN = {"smtp_username": "nightmail", "smtp_password": "right"}


def authenticate(_server: object, _session: object, _envelope: object, _mechanism: str, given: object) -> AuthResult:
    return AuthResult(success=given == LoginPassword(b"nightmail", b"right"), handled=False)


@pytest.fixture(params=["starttls", "tls"])
def security(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def secure_server(smtp_server: SmtpServer, tmp_path: Path, security: str) -> SmtpServer:
    """The SMTP server, now with TLS and AUTH; its certificate is in `server.pem`, not trusted."""
    serve_securely(smtp_server, tmp_path, security, "127.0.0.1")
    return smtp_server


def serve_securely(server: SmtpServer, folder: Path, security: str, address: str) -> None:
    context = server_context(folder, address)
    server.stop()
    server.options = {"authenticator": authenticate, "auth_required": True}
    if security == "tls":
        server.options |= {
            "ssl_context": context,
            "auth_require_tls": False,
        }  # aiosmtpd means STARTTLS, which implicit TLS does not need
    else:
        server.options |= {"tls_context": context, "require_starttls": True}
    server.start()


async def wait_for_reason(mailer: MailerProcess, expected: str) -> None:
    async def says() -> bool:
        return expected in (await mailer.readiness()).get("dependencies", {}).get("smtp", "")

    await eventually(says, f"readiness says {expected}")


async def test_mail_goes_over_tls_to_a_trusted_server_that_accepts_the_password(
    start_mailer: Start,
    secure_server: SmtpServer,
    security: str,
    event_log: EventLog,
    make_job: MakeJob,
    tmp_path: Path,
) -> None:
    shutil.copy(tmp_path / "server.pem", tmp_path / "trusted.pem")
    start_mailer(smtp_security=security, **LOGIN)
    event = result_of(make_job())
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    assert secure_server.recipients == ["reports@example.com"]


async def test_a_self_signed_server_is_trusted_by_the_setting_of_its_certificate(
    start_mailer: Start,
    secure_server: SmtpServer,
    security: str,
    event_log: EventLog,
    make_job: MakeJob,
    tmp_path: Path,
) -> None:
    start_mailer(smtp_security=security, smtp_ca=str(tmp_path / "server.pem"), **LOGIN)
    event = result_of(make_job())
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    assert secure_server.recipients == ["reports@example.com"]


async def test_a_server_with_an_untrusted_certificate_gets_no_mail_and_readiness_says_why(
    start_mailer: Start, secure_server: SmtpServer, security: str, event_log: EventLog, make_job: MakeJob
) -> None:
    await event_log.publish(result_of(make_job()))
    mailer = start_mailer(smtp_security=security, **LOGIN)
    await wait_for_reason(mailer, "the server's certificate is not trusted: self-signed certificate")
    assert not secure_server.recipients


async def test_a_server_with_the_certificate_of_another_host_gets_no_mail(
    start_mailer: Start, smtp_server: SmtpServer, security: str, tmp_path: Path
) -> None:
    serve_securely(smtp_server, tmp_path, security, "192.0.2.1")
    shutil.copy(tmp_path / "server.pem", tmp_path / "trusted.pem")
    mailer = start_mailer(smtp_security=security, **LOGIN)
    await wait_for_reason(mailer, "the server's certificate is not trusted: IP address mismatch")
    assert not smtp_server.recipients


async def test_a_server_without_starttls_gets_no_unencrypted_mail(start_mailer: Start, smtp_server: SmtpServer) -> None:
    await wait_for_reason(start_mailer(smtp_security="starttls"), "STARTTLS extension not supported")
    assert not smtp_server.recipients


async def test_readiness_reports_a_wrong_password_and_no_mail_is_lost(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    serve_securely(smtp_server, tmp_path, "tls", "127.0.0.1")
    shutil.copy(tmp_path / "server.pem", tmp_path / "trusted.pem")
    event = result_of(make_job())
    await event_log.publish(event)
    wrong = start_mailer(smtp_security="tls", **LOGIN | {"smtp_password": "wrong"})
    await wait_for_reason(wrong, "the server refuses the user name or the password: 535")
    assert wrong.stop() == 0
    start_mailer(smtp_security="tls", **LOGIN)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
