"""`nightmail up`: the whole system on this machine, each service as a process under one supervisor."""

import fcntl
import json
import os
import random
import secrets
import socket
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from pydantic import Field, SecretStr

from nightmail_api.access.one_time_codes import CODE_SECONDS, issue_code
from nightmail_api.access.tokens import ADMIN_KEY, token_digest
from nightmail_api.settings import ApiSettings, admin_token
from nightmail_cli.local import embedded_nats
from nightmail_cli.local.embedded_nats import NatsServerMissing
from nightmail_cli.local.prefork import Program, environment_descriptor
from nightmail_cli.local.private_files import write_private
from nightmail_cli.local.service_manager import VARIABLES
from nightmail_cli.local.setting_names import unknown_settings
from nightmail_cli.local.supervisor import Plan, ProcessSpec
from nightmail_cli.location import LOCK_FILE, STATE_FILE
from nightmail_common.broker.connection import AUDITOR
from nightmail_common.contract.errors import CannotStart
from nightmail_common.service.setting_types import Secret
from nightmail_common.service.settings import (
    EMBEDDED_NATS_FILE,
    PREFIX,
    PRIVATE_UMASK,
    ServiceSettings,
    load_without_broker,
)
from nightmail_mailer.settings import MailerSettings
from nightmail_runner.settings import RunnerSettings
from nightmail_ticker.settings import TickerSettings

#: The read model, the log and the caught mails.
PRIVATE_FOLDERS = ("api", "nats", "mailbox")
SECRET_KEY_FILE = "secret-key"  # noqa: S105 (a file's name)
#: Below Linux's ip_local_port_range: an outgoing connection could hold a port of that range for days, and the process
#: could not listen on it again after a restart.
INTERNAL_PORTS = range(20_000, 32_768)

#: The order of draining: first the sources of new runs, then runs, then mails, then the catcher and the broker.
ENTRANCES, RUNNERS, MAILERS, CATCHER, BROKER = range(5)

#: The settings that only these services may see. `TOKEN` is the client's. `SECRET_<NAME>` (secrets of sources) is the runner's.
_SERVICES = {"api", "ticker", "runner", "mailer"}
PRIVATE_TO: dict[str, set[str]] = {
    "ADMIN_TOKEN": {"api"},
    "DATABASE_URL": {"api"},
    "TOKEN": set(),
    "NATS_CREDS": _SERVICES,
    "NATS_USER": _SERVICES,
    "NATS_PASSWORD": _SERVICES,
    "SECRET_KEY": {"api", "mailer"},
    "SMTP_USERNAME": {"mailer"},
    "SMTP_PASSWORD": {"mailer"},
    "SMTP_CLIENT_SECRET": {"mailer"},
    "SMTP_TOKEN_COMMAND": {"mailer"},
}


class UpSettings(ServiceSettings):
    """The settings that `nightmail up` reads itself; the services read the rest."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    smtp_host: str | None = None
    admin_token: Secret | None = None
    secret_key: Secret | None = None
    public_url: str | None = None


class Addresses:
    """The addresses of the running system for the user: API, console, token file, mailbox.

    Args:
        code: the one-time code of the console's link.
    """

    def __init__(self, settings: UpSettings, code: str, *, caught: bool) -> None:
        self.console = f"http://{reachable(settings.host)}:{settings.port}/console/#start={code}"
        self.url = f"http://{settings.host}:{settings.port}"
        self.token_file = None if settings.admin_token else settings.data_dir / "admin-token"
        self.mailbox = settings.data_dir / "mailbox" if caught else None

    def as_line(self) -> str:
        token = f"the token is in {self.token_file}" if self.token_file else "the token is NIGHTMAIL_ADMIN_TOKEN"
        ready = f"Nightmail is ready: API {self.url}, docs {self.url}/docs, {token}"
        return f"{ready}\nOpen {self.console}  (once, {CODE_SECONDS // 60} minutes)"

    def as_json(self) -> str:
        places = {
            "api": self.url,
            "docs": f"{self.url}/docs",
            "console": self.console,
            "token_file": self.token_file,
            "mailbox": self.mailbox,
        }
        return json.dumps({name: None if place is None else str(place) for name, place in places.items()})


def up(
    data_dir: Path | None, host: str | None, port: int | None, nats_port: int, runners: int, catch: bool, as_json: bool
) -> None:
    """Replace this process by the supervisor of the whole system; does not return.

    Args:
        catch: run the mail catcher even if an SMTP server is set.
        as_json: print the addresses as a line of JSON.

    Raises:
        CannotStart: a port is taken, the folder cannot be written, or another instance uses it.
    """
    given = {"data_dir": data_dir, "host": host, "port": port}
    settings = load_without_broker(UpSettings, **{name: value for name, value in given.items() if value is not None})
    folder = settings.data_dir
    os.umask(PRIVATE_UMASK)  # every process inherits it
    _make_folder(folder)
    lock = _lock(folder)
    _check_port(settings.host, settings.port, "port")
    catch = catch or settings.smtp_host is None
    _check_services(settings)
    for found in unknown_settings():
        print(f"warning: {found}", file=sys.stderr, flush=True)
    specs = _specs(settings, nats_port, runners, catch=catch)
    addresses = Addresses(settings, _console_code(settings), caught=catch)
    if not as_json and settings.smtp_host is None:
        print(
            f"NIGHTMAIL_SMTP_HOST is not set: every mail is caught in {addresses.mailbox} and none is sent", flush=True
        )
    plan = Plan(
        processes=specs,
        state_file=str(folder / STATE_FILE),
        prefix_lines=settings.log_format == "console",
        ready_message=addresses.as_json() if as_json else addresses.as_line(),
    )
    _exec_supervisor(plan, lock)


def _console_code(settings: UpSettings) -> str:
    """Return the one-time code of the console's first link. The API, which has the same keys, accepts it."""
    token = admin_token(load_without_broker(ApiSettings, data_dir=settings.data_dir))
    code, _ = issue_code(_secret_key(settings), ADMIN_KEY, token_digest(token))
    return code


def _exec_supervisor(plan: Plan, lock: int) -> NoReturn:
    """Replace this process by the supervisor, which keeps the lock and gets no secret."""
    descriptor = os.memfd_create("plan", 0)
    os.write(descriptor, plan.to_json().encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.set_inheritable(lock, True)
    command = _python("nightmail_cli.local", str(descriptor))
    os.execve(command[0], command, _environment("supervisor", {}))


def _check_services(settings: UpSettings) -> None:
    """End the process if a setting is malformed: the supervisor would restart that service for ever."""
    key = SecretStr(_secret_key(settings))
    for service in (ApiSettings, TickerSettings, RunnerSettings):
        load_without_broker(service)
    load_without_broker(MailerSettings, smtp_host=settings.smtp_host or "the catcher", secret_key=key)


def _make_folder(folder: Path) -> None:
    try:
        (folder / "files").mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
        for name in PRIVATE_FOLDERS:
            if (folder / name).is_dir():  # an earlier version made it readable for others; of another user it fails
                (folder / name).chmod(0o700)
    except OSError as error:
        path = error.filename or folder
        raise CannotStart(
            f"cannot write to the data folder {folder}: {path}: {error.strerror} (this process is user {os.getuid()})"
        ) from error


def _lock(folder: Path) -> int:
    try:
        lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"another nightmail up is running on the data folder {folder}") from None
    except OSError as error:
        raise CannotStart(f"cannot open {folder / LOCK_FILE}: {error.strerror}") from None
    return lock


def _check_port(host: str, port: int, setting: str) -> None:
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise CannotStart(f"cannot listen on {setting} {port} of {host}: {os.strerror(error.errno or 0)}") from error


def _free_ports(taken: Collection[int]) -> Iterator[int]:
    """Yield free ports that stay available to their processes across restarts, each of them once.

    Args:
        taken: ports on which the system listens besides.
    """
    for port in random.sample(INTERNAL_PORTS, len(INTERNAL_PORTS)):
        if port not in taken and _is_free(port):
            yield port
    raise CannotStart(f"no port of {INTERNAL_PORTS.start} to {INTERNAL_PORTS.stop - 1} of 127.0.0.1 is free")


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


def _specs(settings: UpSettings, nats_port: int, runners: int, *, catch: bool) -> list[ProcessSpec]:
    shared = {f"{PREFIX}DATA_DIR": str(settings.data_dir)}
    ports = _free_ports((settings.port, nats_port))
    specs = []
    if settings.nats_url is None:
        broker, reach = _broker(settings, nats_port, next(ports))
        specs.append(broker)
        shared |= reach
    if catch:
        catcher = _catcher(settings.data_dir, next(ports))
        specs.append(catcher)
        shared |= {
            f"{PREFIX}SMTP_HOST": "127.0.0.1",
            f"{PREFIX}SMTP_PORT": str(catcher.ready_port),
            f"{PREFIX}SMTP_SECURITY": "none",
        }
    api = {f"{PREFIX}HOST": settings.host, f"{PREFIX}PORT": str(settings.port)}
    keys = {f"{PREFIX}SECRET_KEY": _secret_key(settings)}
    api_url = f"http://{reachable(settings.host)}:{settings.port}"
    program = _module("api", "api", shared | api | keys)
    health = f"{api_url}/health"
    specs.append(ProcessSpec("api", program, ENTRANCES, f"{health}/ready", live_url=f"{health}/live", essential=True))
    specs.append(_service("ticker", "ticker", shared, ENTRANCES, next(ports)))
    specs.extend(
        _service("runner", f"runner-{number}", shared, RUNNERS, next(ports)) for number in range(1, runners + 1)
    )
    # Links in mails lead to the API; without PUBLIC_URL they work on this machine only.
    links = keys | {f"{PREFIX}PUBLIC_URL": settings.public_url or api_url}
    specs.append(_service("mailer", "mailer", shared | links, MAILERS, next(ports)))
    return specs


def _broker(settings: UpSettings, port: int, monitor_port: int) -> tuple[ProcessSpec, dict[str, str]]:
    _check_port("127.0.0.1", port, "NATS port")
    owner = _nats_owner(settings)
    try:
        command = embedded_nats.executable()
    except NatsServerMissing as error:
        raise CannotStart(str(error)) from error
    monitor = (monitor_port, f"/{secrets.token_urlsafe(16)}")
    files, reach = embedded_nats.write_config(settings.data_dir, port, monitor, owner)
    environment = environment_descriptor(_environment("nats", embedded_nats.ENVIRONMENT))
    spec = ProcessSpec(
        "nats",
        Program("nats", environment, [command, "-c", str(files.config)]),
        BROKER,
        ready_port=port,
        live_url=f"http://127.0.0.1:{monitor[0]}{monitor[1]}{embedded_nats.LIVE_PATH}",
        store=str(files.store),
        log_file=str(files.log),
        essential=True,
    )
    return spec, reach


def _nats_owner(settings: UpSettings) -> tuple[str, str] | None:
    if settings.nats_user is None and settings.nats_password is None:
        return None
    if settings.nats_user is None or settings.nats_password is None:
        raise CannotStart(f"settings {PREFIX}NATS_USER and {PREFIX}NATS_PASSWORD must both be set; one is missing")
    if settings.nats_user == AUDITOR:
        raise CannotStart(
            f"setting {PREFIX}NATS_USER: {AUDITOR!r} is the name of the read-only user (see {EMBEDDED_NATS_FILE})"
        )
    return settings.nats_user, settings.nats_password.get_secret_value()


def _catcher(data_dir: Path, port: int) -> ProcessSpec:
    program = Program(
        "nightmail_cli (catcher)",
        environment_descriptor(_environment("catcher", {})),
        module="nightmail_cli.local.mail_catcher",
        arguments=("--port", str(port), "--mailbox", str(data_dir / "mailbox")),
    )
    return ProcessSpec("catcher", program, CATCHER, ready_port=port)


def _service(service: str, name: str, settings: dict[str, str], stop_rank: int, port: int) -> ProcessSpec:
    program = _module(service, name, settings | {f"{PREFIX}HEALTH_PORT": str(port)})
    health = f"http://127.0.0.1:{port}/health"
    return ProcessSpec(name, program, stop_rank, f"{health}/ready", live_url=f"{health}/live")


def _module(service: str, name: str, settings: dict[str, str]) -> Program:
    module = f"nightmail_{service}"
    return Program(f"{module} ({name})", environment_descriptor(_environment(service, settings)), module=module)


def _python(module: str, *arguments: str) -> list[str]:
    # -P: a file `email.py` in the user's folder is not the module that a service imports.
    return [sys.executable, "-P", "-m", module, *arguments]


def _environment(service: str, settings: dict[str, str]) -> dict[str, str]:
    """Return the environment of one service: its settings, and no settings that are private to others."""
    return {name: value for name, value in os.environ.items() if may_see(service, name)} | settings


def may_see(service: str, name: str) -> bool:
    """Return whether an environment variable is visible to a service."""
    setting = name.removeprefix(PREFIX)
    if setting == name:
        return service == "supervisor" or name not in VARIABLES
    if setting in PRIVATE_TO:
        return service in PRIVATE_TO[setting]
    return not setting.startswith("SECRET_") or service == "runner"


def reachable(host: str) -> str:
    """Return the address to connect to a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104


def _secret_key(settings: UpSettings) -> str:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    kept = settings.data_dir / SECRET_KEY_FILE
    if not kept.exists():
        write_private(kept, secrets.token_urlsafe(32))
    return kept.read_text()
