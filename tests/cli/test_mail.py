"""`nightmail mail`: the caught mails, and the SMTP step that fails."""

import io
import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from typer.testing import CliRunner

from nightmail_cli.local.mail_catcher import MaildirHandler
from nightmail_cli.main import app
from support.certificates import server_context
from support.ports import free_port
from support.smtp_server import DROP, Once, SmtpServer

Nightmail = Callable[..., Any]
Keep = Callable[[EmailMessage], str]


@pytest.fixture
def nightmail(tmp_path: Path) -> Nightmail:
    """Run the command with its data in the test's folder."""

    def run(*arguments: str, **settings: object) -> Any:
        environment = {f"NIGHTMAIL_{name.upper()}": str(value) for name, value in settings.items()}
        return CliRunner().invoke(app, ["mail", *arguments], env={"NIGHTMAIL_DATA_DIR": str(tmp_path), **environment})

    return run


def mail(subject: str, text: str = "hello\n", html: str | None = None) -> EmailMessage:
    made = EmailMessage(policy=SMTP)
    made["Subject"], made["From"], made["To"] = subject, "nightmail@example.com", "a@example.com"
    made.set_content(text)
    if html is not None:
        made.add_alternative(html, subtype="html")
    return made


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Store a mail as the catcher does."""
    handler = MaildirHandler(tmp_path / "mailbox")
    return lambda made: handler.keep("nightmail@example.com", ["a@example.com", "b@example.com"], made.as_bytes())


def test_without_a_mailbox_there_is_nothing_to_list_and_nothing_to_show(nightmail: Nightmail, tmp_path: Path) -> None:
    listed = nightmail("list")
    assert listed.exit_code == 0
    assert listed.stdout.strip() == f"no mail was caught yet in {tmp_path / 'mailbox'}"
    assert json.loads(nightmail("list", "--json").stdout) == []
    shown = nightmail("show")
    assert shown.exit_code == 1
    assert shown.stderr == f"error: no mail was caught yet in {tmp_path / 'mailbox'}\n"


def test_mails_are_listed_newest_first_with_their_recipients(nightmail: Nightmail, keep: Keep) -> None:
    first, second = mail("the first"), mail("the second ✓")
    second.add_attachment(b"a,b\n1,2\n", "text", "csv", filename="Überblick.csv")
    keep(first)
    keep(second)
    lines = nightmail("list").stdout.splitlines()
    assert lines[0].split() == ["id", "when", "to", "subject", "attachments"]
    assert [("the second ✓" in lines[1], "Überblick.csv" in lines[1]), ("the first" in lines[2], len(lines))] == [
        (True, True),
        (True, 3),
    ]
    found = json.loads(nightmail("list", "--json").stdout)
    assert [one["subject"] for one in found] == ["the second ✓", "the first"]
    assert found[0]["to"] == "a@example.com, b@example.com"
    assert found[0]["attachments"] == ["Überblick.csv"]
    cut = nightmail("list", "--limit", "1", "--json")
    assert (len(json.loads(cut.stdout)), cut.stderr) == (1, "there are more than these 1: raise --limit\n")
    assert nightmail("list", "--limit", "2").stderr == ""


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "zip"])
def test_a_mail_is_shown_with_its_text_and_the_first_lines_of_its_csv(
    compressed: bool, nightmail: Nightmail, keep: Keep
) -> None:
    csv = b"region,amount\n" + b"".join(b"r%d,%d\n" % (number, number) for number in range(1000))
    made = mail("the report", "what the text says\n")
    if compressed:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("r.csv", csv)
        made.add_attachment(packed.getvalue(), "application", "zip", filename="r.zip")
    else:
        made.add_attachment(csv, "text", "csv", filename="r.csv")
    keep(mail("another"))
    keep(made)
    shown = nightmail("show").stdout
    assert "the report" in shown
    assert "what the text says" in shown
    assert "    region,amount\n    r0,0\n" in shown
    assert "r999" not in shown
    mail_id = json.loads(nightmail("list", "--json").stdout)[0]["id"]
    assert nightmail("show", mail_id[:5]).stdout == shown
    details = json.loads(nightmail("show", mail_id, "--json").stdout)
    assert details["text"] == "what the text says\n"
    assert details["attachments"][0]["head"][0] == "region,amount"
    unknown = nightmail("show", "zz")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "there is no mail 'zz'" in unknown.stderr


def test_a_mails_text_cannot_steer_the_terminal(nightmail: Nightmail, keep: Keep) -> None:
    made = mail("plain", "\x1b[31mred\x07\n")
    made.add_attachment(b"\x1b]0;title\x07,b\n", "text", "csv", filename="a.csv")
    keep(made)
    for command in ("list", "show"):
        shown = nightmail(command).stdout
        assert "\x1b" not in shown
        assert "\x07" not in shown


def test_a_mail_is_opened_from_a_file_that_only_its_owner_can_read(nightmail: Nightmail, keep: Keep) -> None:
    keep(mail("pretty", html="<p>pretty</p>"))
    path, again = (Path(nightmail("open", "--path").stdout.strip()) for _ in range(2))
    assert path.read_text().strip() == "<p>pretty</p>"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert again == path
    assert path.parent.name == "opened-mails", "it is in the data folder, and not one more file in a temporary one"
    keep(mail("text only"))
    plain = nightmail("open", "--path")
    assert plain.exit_code == 1
    assert "no HTML part" in plain.stderr


def test_a_mail_is_opened_in_the_browser_that_the_environment_names(
    nightmail: Nightmail, keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o700)
    monkeypatch.setattr("webbrowser._tryorder", None)
    monkeypatch.setenv("BROWSER", str(browser))
    keep(mail("pretty", html="<p>pretty</p>"))
    opened = nightmail("open")
    assert opened.exit_code == 0, opened.stderr
    path = Path(opened.stdout.strip())
    assert (tmp_path / "opened").read_text().strip() == path.as_uri()


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    server = SmtpServer()
    server.start()
    yield server
    server.stop()


def reach(server: SmtpServer, **settings: object) -> dict[str, object]:
    return {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_from": "nightmail@example.com"} | settings


def test_a_test_mail_arrives_and_every_step_is_reported(nightmail: Nightmail, smtp_server: SmtpServer) -> None:
    done = nightmail("test", "you@example.com", **reach(smtp_server))
    assert done.exit_code == 0, done.stderr
    steps = [line.partition("  ")[0] for line in done.stdout.splitlines()]
    assert steps[:6] == ["resolve", "connect", "greeting", "MAIL FROM", "RCPT TO", "DATA"]
    assert smtp_server.recipients == ["you@example.com"]
    report = json.loads(nightmail("test", "you@example.com", "--json", **reach(smtp_server)).stdout)
    assert (report["ok"], report["failed_at"]) == (True, None)


async def _refuse(_: str) -> str | None:
    return "550 no such user <you@example.com>"


async def _demand_auth(_: int) -> str | None:
    return "530 5.7.0 Authentication required"


async def _drop(_: str) -> str | None:
    return DROP


@pytest.mark.parametrize(
    ("change", "settings", "step", "words"),
    [
        ({}, {"smtp_host": "nobody.invalid"}, "resolve", "the host name nobody.invalid cannot be resolved"),
        ({}, {"smtp_port": "closed"}, "connect", "connection refused"),
        ({}, {"smtp_security": "tls"}, "TLS", "NIGHTMAIL_SMTP_SECURITY=starttls"),
        ({}, {"smtp_security": "starttls"}, "STARTTLS", "the server offers no STARTTLS"),
        ({}, {"smtp_username": "me", "smtp_password": "x"}, "AUTH", "the server offers no AUTH on this port"),
        ({"on_mail": _demand_auth}, {}, "MAIL FROM", "the server demands that the mailer signs in or uses TLS"),
        ({"on_rcpt": _refuse}, {}, "RCPT TO", "refuses the recipient permanently: 550 no such user (address)"),
        ({"on_rcpt": Once("451 come back later")}, {}, "RCPT TO", "for now: 451 come back later"),
        ({"after_data": Once("554 this is spam")}, {}, "DATA", "refuses the mail itself: 554 this is spam"),
        ({"after_data": _drop}, {}, "DATA", "the server closed the connection"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else None,
)
def test_a_failed_test_mail_reports_the_step_and_the_reason(
    change: dict[str, Any],
    settings: dict[str, str],
    step: str,
    words: str,
    nightmail: Nightmail,
    smtp_server: SmtpServer,
) -> None:
    for name, hook in change.items():
        setattr(smtp_server, name, hook)
    if settings.get("smtp_port") == "closed":
        settings = {"smtp_port": str(free_port())}
    failed = nightmail("test", "you@example.com", **reach(smtp_server, **settings))
    assert failed.exit_code == 1
    assert failed.stderr.startswith(f"error: {step}: "), failed.stderr
    assert words in failed.stderr


def test_a_test_mail_over_tls_reports_an_untrusted_certificate_and_a_wrong_password(
    nightmail: Nightmail, smtp_server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def authenticate(*given: object) -> AuthResult:
        right = given[-1] == LoginPassword(b"nightmail", b"right")
        return AuthResult(success=right, handled=False)

    smtp_server.stop()
    smtp_server.options = {
        "ssl_context": server_context(tmp_path),
        "authenticator": authenticate,
        "auth_require_tls": False,
    }
    smtp_server.start()
    secure = reach(smtp_server, smtp_security="tls", smtp_username="nightmail", smtp_password="wrong")
    failed = nightmail("test", "you@example.com", **secure)
    assert failed.stderr.startswith("error: TLS: the server's certificate is not trusted: self-signed certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    failed = nightmail("test", "you@example.com", **secure)
    assert failed.stderr.startswith("error: AUTH: the server refuses the user name or the password: 535")
    monkeypatch.delenv("SSL_CERT_FILE")
    secure["smtp_ca"] = tmp_path / "server.pem"
    done = nightmail("test", "you@example.com", **secure | {"smtp_password": "right"})
    assert done.exit_code == 0, done.stderr


def test_an_invalid_address_and_a_missing_server_are_reported_before_anything_is_sent(nightmail: Nightmail) -> None:
    assert nightmail("test", "nobody").exit_code == 2
    unset = nightmail("test", "you@example.com")
    assert unset.exit_code == 1
    assert "NIGHTMAIL_SMTP_HOST is not set" in unset.stderr


def test_without_a_server_the_test_mail_goes_to_the_catcher_that_runs_here(
    nightmail: Nightmail, tmp_path: Path
) -> None:
    port = free_port()
    catcher = Controller(MaildirHandler(tmp_path / "mailbox"), hostname="127.0.0.1", port=port)
    catcher.start()
    (tmp_path / "up.json").write_text(
        json.dumps({"pid": os.getpid(), "processes": [{"name": "catcher", "ready_port": port}]})
    )
    try:
        done = nightmail("test", "you@example.com")
    finally:
        catcher.stop()
    assert done.exit_code == 0, done.stderr
    assert json.loads(nightmail("list", "--json").stdout)[0]["subject"] == "A test of Nightmail's mail"


def test_a_server_that_cannot_check_the_password_now_is_not_taken_for_a_wrong_password(
    nightmail: Nightmail, smtp_server: SmtpServer
) -> None:
    def authenticate(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False, message="454 4.7.0 Temporary authentication failure")

    smtp_server.stop()
    smtp_server.options = {"authenticator": authenticate, "auth_require_tls": False}
    smtp_server.start()
    failed = nightmail("test", "you@example.com", **reach(smtp_server, smtp_username="me", smtp_password="right"))
    assert failed.stderr.startswith("error: AUTH: the server cannot check the password now: 454 4.7.0 Temporary")
    assert "refuses" not in failed.stderr
