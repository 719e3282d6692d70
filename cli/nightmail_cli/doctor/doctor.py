"""`nightmail doctor`: check this machine, the broker and the SMTP server, and say how to fix each problem.

With `NIGHTMAIL_URL` or a login, and no `nightmail up` on the data folder, the system runs elsewhere: in containers or on
other machines.
Then this machine is not checked, and the broker is asked from here. What the API finds (`GET /system`) follows, of a system here
and elsewhere: only the API knows the processes of every service, the waiting work and the unreadable events.
"""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from pydantic import SecretStr, ValidationError

from nightmail_api.settings import ApiSettings
from nightmail_cli.client_settings import ClientSettings
from nightmail_cli.doctor import machine_checks
from nightmail_cli.local.embedded_nats import NatsServerMissing, executable
from nightmail_cli.local.probes import http_status
from nightmail_cli.local.setting_names import unknown_settings
from nightmail_cli.local.up import UpSettings, reachable
from nightmail_cli.location import LOCK_FILE, api_url, located, names_an_api
from nightmail_cli.output import FAILED, echo, print_json, print_table
from nightmail_common.broker.checks import Check
from nightmail_common.service.settings import PREFIX, ServiceSettings
from nightmail_mailer.settings import MailerSettings
from nightmail_runner.settings import RunnerSettings
from nightmail_ticker.settings import TickerSettings

if TYPE_CHECKING:
    from nightmail_mailer.smtp.smtp_check import CheckStep

EMBEDDED_PORT = 4222


def doctor(monitors: list[str], *, as_json: bool) -> None:
    """Print every check, and the fix of each problem; exit 1 if there is one.

    Args:
        monitors: monitoring URLs of nats-servers, for the settings that no client can read.
    """
    checks = list(_checks(monitors))
    problems = [check for check in checks if check.state == "problem"]
    if as_json:
        print_json({"ok": not problems, "checks": [asdict(check) for check in checks]})
    else:
        print_table(("check", "state", "found"), [(c.name, c.state, c.detail) for c in checks], empty="no checks")
        for check in checks:
            if check.state != "ok":
                echo(f"\n{check.state}, {check.name}: {check.detail}\n  fix: {check.fix}")
    if problems:
        raise typer.Exit(FAILED)


def _checks(monitors: list[str]) -> Iterator[Check]:
    yield from machine_checks.python()
    if unreadable := list(_unreadable(ClientSettings)):
        yield from unreadable
        return
    settings = located(ServiceSettings, with_broker=True)
    running = _is_up(settings.data_dir)
    elsewhere = names_an_api() and not running
    found = list(_broker_elsewhere(settings) if elsewhere else _here(settings, running=running))
    yield from found
    if elsewhere or running:
        known = {check.name for check in found}
        yield from (check for check in _system() if check.name not in known)
    for url in monitors:
        from nightmail_cli.doctor.broker_checks import monitored  # the NATS client takes long to import

        yield from monitored(url)


def _broker_elsewhere(settings: ServiceSettings) -> list[Check]:
    return asyncio.run(_ask_broker(settings)) if settings.nats_url is not None else []


def _system() -> Iterator[Check]:
    """Yield what the API finds."""
    from nightmail_cli.client import SYSTEM_TIMEOUT_SECONDS, Client  # httpx takes long to import
    from nightmail_client import NightmailError

    try:
        system = Client(SYSTEM_TIMEOUT_SECONDS).api.system()
    except NightmailError as error:
        fix = "check NIGHTMAIL_URL and NIGHTMAIL_TOKEN, or nightmail login again, and read the log of the API"
        yield Check("api", "problem", str(error), fix)
        return
    yield Check("api", "ok", f"{api_url()} answers, version {system['version']}")
    yield from (Check(**check) for check in system["checks"])


def _here(settings: ServiceSettings, *, running: bool) -> Iterator[Check]:
    unreadable = list(_settings())
    yield from unreadable or [Check("settings", "ok", "valid for every service")]
    for found in unknown_settings():
        yield Check("setting names", "warning", found, "correct the name, or remove it: nothing reads it")
    yield from machine_checks.data_folder(settings.data_dir)
    if not unreadable:
        yield from _scripts(RunnerSettings())
    if not unreadable:
        yield _api(ApiSettings(), running=running)
    yield from _broker(settings, running=running)
    if not unreadable:
        yield _mail()


def _mail() -> Check:
    try:
        return _smtp(MailerSettings())
    except ValidationError:
        fix = "set NIGHTMAIL_SMTP_HOST, and the rest of NIGHTMAIL_SMTP_*"
        return Check("smtp", "warning", "no server is set: every mail is caught and none is sent", fix)


def _settings() -> Iterator[Check]:
    for service in (ApiSettings, TickerSettings, RunnerSettings):
        yield from _unreadable(service)
    # `nightmail up` gives the mailer an SMTP server (the catcher) and a key if they are not set.
    try:
        given = UpSettings()
    except ValidationError:
        return  # the API has the same settings
    key = given.secret_key or SecretStr("generated by nightmail up")
    yield from _unreadable(MailerSettings, smtp_host=given.smtp_host or "the catcher", secret_key=key)


def _unreadable(service: type[ServiceSettings], **given: Any) -> Iterator[Check]:
    try:
        service(**given)
    except ValidationError as error:
        for problem in error.errors():
            name = PREFIX + "_".join(str(part) for part in problem["loc"]).upper()
            fix = f"set {name} as .env.example says"
            yield Check("settings", "problem", f"{name}: {problem['msg'].removeprefix('Value error, ')}", fix)
    except PermissionError as error:
        yield Check("settings", "problem", f"cannot read {error.filename}: {error.strerror}", "run it as the services")
    except UnicodeDecodeError:
        yield Check("settings", "problem", ".env is not UTF-8 text", "write it as UTF-8")


def _scripts(settings: RunnerSettings) -> Iterator[Check]:
    yield from machine_checks.sandbox(switched_on=settings.sandbox == "on")
    slots = len(os.sched_getaffinity(0)) * settings.runner_concurrency
    yield from machine_checks.memory(slots, settings.script_memory)


def _is_up(data_dir: Path) -> bool:
    try:
        with (data_dir / LOCK_FILE).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _api(settings: ApiSettings, *, running: bool) -> Check:
    here = f"http://{reachable(settings.host)}:{settings.port}"
    # An API that runs without `nightmail up`, as a service of its own, has the port.
    if not running and asyncio.run(http_status(f"{here}/health/live")) != 200:
        return machine_checks.port("api", settings.host, settings.port, f"{PREFIX}PORT")
    url = f"{api_url() if running else here}/health/ready"
    status = asyncio.run(http_status(url))
    if status == 200:
        return Check("api", "ok", f"{url} is ready")
    answer = "does not answer" if status is None else f"answers {status}"
    return Check(
        "api", "problem", f"{url} {answer}", "find the process that is not ready (nightmail status), and read its log"
    )


def _broker(settings: ServiceSettings, *, running: bool) -> Iterator[Check]:
    if located(ServiceSettings).nats_url is None:
        yield _embedded(settings.data_dir)
        if not running:
            yield machine_checks.port("nats", "127.0.0.1", EMBEDDED_PORT, "nightmail up --nats-port")
            return
    yield from asyncio.run(_ask_broker(settings))


def _embedded(data_dir: Path) -> Check:
    try:
        command = executable()
    except NatsServerMissing as error:
        return Check("nats-server", "problem", str(error), "make install")
    config = data_dir / "nats.conf"
    if config.exists() and "sync_interval: always" not in config.read_text():
        fix = "restart nightmail up: it rewrites its server's configuration"
        return Check("nats-server", "problem", f"{config} lacks sync_interval: always", fix)
    return Check("nats-server", "ok", f"{command}, syncs every event to disk")


async def _ask_broker(settings: ServiceSettings) -> list[Check]:
    from nightmail_cli.doctor.broker_checks import broker  # the NATS client takes long to import

    return [check async for check in broker(settings)]


def _smtp(settings: MailerSettings) -> Check:
    """Connect, encrypt and authenticate as the mailer does, and stop before MAIL FROM."""
    server = f"{settings.smtp_host}:{settings.smtp_port}"
    failed = asyncio.run(_failed_smtp_step(settings))
    if failed is not None:
        fix = f"check NIGHTMAIL_SMTP_*, and that this machine can reach {server}"
        return Check("smtp", "problem", f"{server} fails at {failed.name}: {failed.detail}", fix)
    if settings.smtp_security == "none" and settings.smtp_username is not None:
        fix = "set NIGHTMAIL_SMTP_SECURITY to starttls or tls"
        return Check("smtp", "warning", f"{server} answers; the password goes in clear text", fix)
    return Check("smtp", "ok", f"{server} answers ({settings.smtp_security})")


async def _failed_smtp_step(settings: MailerSettings) -> "CheckStep | None":
    """Return the step of a session that fails; None if the mailer could begin a mail."""
    from nightmail_mailer.smtp.smtp_check import check_smtp  # the SMTP client takes long to import

    steps = [step async for step in check_smtp(settings, None)]
    return None if steps[-1].ok else steps[-1]
