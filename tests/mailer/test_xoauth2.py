"""XOAUTH2: the mailer signs in with an access token, keeps it, and replaces one that has expired or is refused."""

import asyncio
import base64
import json
import shlex
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from pydantic import ValidationError

from nightmail_cli.doctor import doctor
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailSent
from nightmail_common.contract.job import Job
from nightmail_common.service.http_server import serve_http
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.access_tokens import NoAccessToken, access_tokens
from nightmail_mailer.smtp.connection import open_connection, quit_connection
from nightmail_mailer.smtp.smtp_check import CheckStep, check_smtp
from support.http_source import Source
from support.mailer_process import MailerProcess, mail_event, result_of
from support.smtp_server import SmtpHandler, SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]
SECRET = "s3cret-of-the-client"
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


class TokenHandler(SmtpHandler):
    """Accepts the tokens in `valid` from one user; refuses others as large providers do, with a challenge first."""

    valid: ClassVar[set[str]]
    asked: ClassVar[list[str]]

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        user, authorization, *_ = base64.b64decode(args[1]).decode().split("\1")
        token = authorization.removeprefix("auth=Bearer ")
        type(self).asked.append(token)
        if user == "user=reports@example.com" and token in type(self).valid:
            return AuthResult(success=True)
        await server.challenge_auth(json.dumps({"status": "400", "schemes": "bearer"}))
        return AuthResult(success=False, handled=False)


@pytest.fixture
def accounts(smtp_server: SmtpServer) -> type[TokenHandler]:
    """The SMTP server, now with XOAUTH2; the class has the valid tokens and those that were sent."""

    class Handler(TokenHandler):
        valid: ClassVar = {"first"}
        asked: ClassVar = []

    smtp_server.stop()
    smtp_server.handler = Handler
    smtp_server.options = {"auth_required": True, "auth_require_tls": False}
    smtp_server.start()
    return Handler


@pytest.fixture
async def issuer() -> AsyncIterator[Source]:
    source = Source()
    async with serve_http(source, "127.0.0.1", 0) as port:
        source.port = port
        yield source


def answer(status: int = 200, **fields: Any) -> tuple[int, dict[str, str], bytes]:
    return status, {"content-type": "application/json"}, json.dumps(fields).encode()


def client(issuer: Source, path: str = "/token") -> dict[str, str]:
    return {
        "smtp_auth": "xoauth2",
        "smtp_username": "reports@example.com",
        "smtp_token_url": issuer.url(path),
        "smtp_client_id": "nightmail",
        "smtp_client_secret": SECRET,
        "smtp_scope": "mail.send",
    }


def settings(server: SmtpServer, **fields: Any) -> MailerSettings:
    return MailerSettings(smtp_host="127.0.0.1", smtp_port=server.port, **fields)


async def checked(settings: MailerSettings) -> CheckStep:
    """Return the last step of `nightmail mail test`."""
    return [step async for step in check_smtp(settings, "you@example.com")][-1]


async def test_a_mailer_signs_in_with_a_token_by_client_credentials_and_logs_no_secret(
    start_mailer: Start,
    smtp_server: SmtpServer,
    accounts: type[TokenHandler],
    issuer: Source,
    event_log: EventLog,
    make_job: MakeJob,
    capfd: pytest.CaptureFixture[str],
) -> None:
    issuer.answers["/token"] = [answer(access_token="first", expires_in=3600)]
    start_mailer(**client(issuer))
    event = result_of(make_job())
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    assert smtp_server.recipients == ["reports@example.com"]
    [(_, headers)] = issuer.requests
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode() == f"nightmail:{SECRET}"
    assert dict(parse_qsl(issuer.bodies[0].decode())) == {"grant_type": "client_credentials", "scope": "mail.send"}
    logged = "".join(capfd.readouterr())
    assert "smtp_reachable" in logged
    for secret in (SECRET, "Bearer", headers["authorization"], "access_token"):
        assert secret not in logged


async def test_a_kept_token_is_reused_and_replaced_when_it_is_refused(
    smtp_server: SmtpServer, accounts: type[TokenHandler], issuer: Source
) -> None:
    issuer.answers["/token"] = [answer(access_token=name, expires_in=3600) for name in ("first", "second")]
    configured = settings(smtp_server, **client(issuer))
    tokens = access_tokens(configured)
    for _ in range(2):
        await quit_connection(await open_connection(configured, tokens))
    assert (accounts.asked, len(issuer.requests)) == (["first", "first"], 1)
    accounts.valid = {"second"}
    await quit_connection(await open_connection(configured, tokens))
    assert (accounts.asked[2:], len(issuer.requests)) == (["first", "second"], 2)


async def test_the_doctor_signs_in_with_a_token_as_the_mailer_does(
    smtp_server: SmtpServer, accounts: type[TokenHandler], issuer: Source
) -> None:
    issuer.answers["/token"] = [answer(access_token=name, expires_in=3600) for name in ("first", "wrong")]
    configured = settings(smtp_server, **client(issuer))
    check = await asyncio.to_thread(doctor._smtp, configured)
    assert (check.state, check.detail.partition(" ")[2]) == ("warning", "answers; the password goes in clear text")
    refused = await asyncio.to_thread(doctor._smtp, configured)
    assert refused.state == "problem"
    assert "fails at AUTH: the server refuses the access token" in refused.detail
    assert accounts.asked == ["first", "wrong"]


async def test_a_token_that_expires_is_replaced_before(
    smtp_server: SmtpServer, accounts: type[TokenHandler], issuer: Source
) -> None:
    issuer.answers["/token"] = [answer(access_token="first", expires_in=0), answer(access_token="second")]
    tokens = access_tokens(settings(smtp_server, **client(issuer)))
    assert tokens is not None
    assert [await tokens.get() for _ in range(3)] == ["first", "second", "second"]


async def test_an_endpoint_that_takes_the_credentials_in_the_form_only_gets_them_there(
    smtp_server: SmtpServer, accounts: type[TokenHandler], issuer: Source
) -> None:
    issuer.answers["/token"] = [answer(401, error="invalid_client"), answer(access_token="first")]
    assert (await checked(settings(smtp_server, **client(issuer)))).ok
    assert dict(parse_qsl(issuer.bodies[1].decode()))["client_secret"] == SECRET
    assert smtp_server.recipients == ["you@example.com"]


async def test_a_command_prints_the_token(
    start_mailer: Start,
    smtp_server: SmtpServer,
    accounts: type[TokenHandler],
    event_log: EventLog,
    make_job: MakeJob,
    tmp_path: Path,
) -> None:
    (tmp_path / "token").write_text("first\n")
    command = f"cat {shlex.quote(str(tmp_path / 'token'))}"
    start_mailer(smtp_auth="xoauth2", smtp_username="reports@example.com", smtp_token_command=command)
    event = result_of(make_job())
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    assert accounts.asked == ["first"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (answer(400, error="invalid_client", error_description=f"{SECRET} is wrong"), "status 400 invalid_client ***"),
        (answer(200, token_type="Bearer"), "no access token from NIGHTMAIL_SMTP_TOKEN_URL: status 200"),
        ((200, {}, b"<html>"), "no access token from NIGHTMAIL_SMTP_TOKEN_URL: status 200"),
        ((302, {"location": "http://127.0.0.1/"}, b""), "status 302"),
        ((200, {}, b"x" * 100_000), "too large"),
        (answer(access_token="two words"), "not one word"),
        (answer(access_token="other"), "the server refuses the access token: 535"),
    ],
)
async def test_the_check_names_what_is_wrong_and_shows_no_secret(
    smtp_server: SmtpServer,
    accounts: type[TokenHandler],
    issuer: Source,
    given: tuple[int, dict[str, str], bytes],
    reason: str,
) -> None:
    issuer.answers["/token"] = [given]
    step = await checked(settings(smtp_server, **client(issuer)))
    assert (step.name, step.ok) == ("AUTH", False)
    assert reason in step.detail
    assert SECRET not in step.detail


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("exit 3", "NIGHTMAIL_SMTP_TOKEN_COMMAND ended with status 3"),
        ("true", "NIGHTMAIL_SMTP_TOKEN_COMMAND printed nothing"),
        ("sleep 60", "NIGHTMAIL_SMTP_TOKEN_COMMAND did not end in"),
    ],
)
async def test_a_command_that_gives_no_token_is_named(
    smtp_server: SmtpServer, command: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_mailer.smtp.access_tokens.COMMAND_TIMEOUT_SECONDS", 2.0)
    given = {"smtp_auth": "xoauth2", "smtp_username": "me", "smtp_token_command": command}
    tokens = access_tokens(settings(smtp_server, **given))
    assert tokens is not None
    with pytest.raises(NoAccessToken, match=reason):
        await tokens.get()


async def test_a_server_without_xoauth2_and_an_issuer_that_is_away_are_named(
    smtp_server: SmtpServer, accounts: type[TokenHandler], issuer: Source
) -> None:
    configured = settings(smtp_server, **client(issuer) | {"smtp_token_url": "http://127.0.0.1:9/token"})
    away = await checked(configured)
    assert "no access token from NIGHTMAIL_SMTP_TOKEN_URL" in away.detail
    smtp_server.stop()
    smtp_server.handler = SmtpHandler
    smtp_server.start()
    without = await checked(configured)
    assert "the server offers no XOAUTH2 on this port, but" in without.detail


@pytest.mark.parametrize(
    "given",
    [
        {"smtp_username": None},
        {"smtp_client_secret": None},
        {"smtp_token_command": "true"},
        {"smtp_token_url": "http://login.example.com/token"},
        {"smtp_token_url": "login.example.com"},
    ],
)
def test_the_settings_name_exactly_one_source_of_tokens(smtp_server: SmtpServer, given: dict[str, Any]) -> None:
    source = Source()
    with pytest.raises(ValidationError, match=r"needs|https"):
        settings(smtp_server, **client(source) | given)
