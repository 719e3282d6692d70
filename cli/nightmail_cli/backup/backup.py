"""`nightmail backup` and `nightmail restore`: copy every stream of the broker into a folder, and back."""

import asyncio
import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nightmail_cli.local.private_files import write_private
from nightmail_cli.location import LOCK_FILE, located
from nightmail_cli.output import AsJson, echo, fail, print_json, print_table
from nightmail_common.contract.errors import describe_error

if TYPE_CHECKING:  # the settings take long to import, and `--help` needs none
    from nightmail_common.service.settings import ServiceSettings

NAME = "nightmail-backup"
#: The user of `nightmail nats-config` that may take and restore snapshots.
BACKUP_USER = "backup"
#: The embedded server's store, in the data folder.
STORE = "nats"

_CONFIG = """\
host: "127.0.0.1"
port: {port}
authorization {{ user: restore, password: {password} }}
jetstream {{ store_dir: {store}, sync_interval: always }}
"""


def backup(
    folder: Annotated[Path, typer.Argument(help="The new backup folder; it must not exist.", metavar="FOLDER")],
    as_json: AsJson = False,
) -> None:
    """Copy the log, results and tokens into a folder.

    The services may run. The copy contains the mail records, scripts, addresses and results; only its owner can read it.
    """
    from nightmail_cli.backup.snapshots import copy_streams
    from nightmail_cli.connect import connected  # the NATS client takes long to import
    from nightmail_common.service.settings import ServiceSettings

    async def make() -> None:
        async with connected(located(ServiceSettings, with_broker=True), NAME, BACKUP_USER) as client:
            copies = await copy_streams(client, folder)
        rows = [{"stream": copy.name, "messages": copy.messages, "bytes": copy.size} for copy in copies]
        if as_json:
            print_json({"folder": str(folder), "streams": rows})
        else:
            print_table(("stream", "messages", "bytes"), [tuple(row.values()) for row in rows], empty="no streams")

    _run(make())


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder from `nightmail backup`.", metavar="FOLDER")],
    replicas: Annotated[
        int | None,
        typer.Option(min=1, max=5, help="The number of servers that keep each stream. [default: as in the backup]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup, while no service runs.

    Without NIGHTMAIL_NATS_URL: into the data folder of `nightmail up`, which must not run; the existing store is moved
    beside the new one. With NIGHTMAIL_NATS_URL: into that broker, which must not have the streams.
    """
    from nightmail_cli.backup.snapshots import read_copy, restore_streams
    from nightmail_cli.connect import connected
    from nightmail_common.service.settings import ServiceSettings

    settings = located(ServiceSettings)

    async def restore_all() -> None:
        copies = read_copy(folder)
        kept = None
        if settings.nats_url is not None:
            async with connected(settings, NAME, BACKUP_USER) as client:
                await restore_streams(client, folder, copies, replicas)
        else:
            with _new_store(settings.data_dir) as kept, _server(settings.data_dir) as reachable:
                async with connected(reachable, NAME) as client:
                    await restore_streams(client, folder, copies, 1)
        if as_json:
            streams = [{"stream": copy.name, "messages": copy.messages} for copy in copies]
            print_json({"streams": streams, "store_before": None if kept is None else str(kept)})
            return
        for copy in copies:
            echo(f"restored {copy.name}: {copy.messages} messages, last sequence {copy.last_sequence}")
        if kept is not None:
            echo(f"the previous store is in {kept}")

    _run(restore_all())


def _run(work: Coroutine[Any, Any, None]) -> None:
    from nats.errors import Error

    from nightmail_cli.backup.snapshots import SnapshotFailed
    from nightmail_cli.connect import BrokerUnreachable
    from nightmail_cli.local.embedded_nats import NatsServerMissing

    try:
        asyncio.run(work)
    except (SnapshotFailed, BrokerUnreachable, NatsServerMissing, Error, OSError) as error:
        fail(describe_error(error))


@contextmanager
def _new_store(data_dir: Path) -> Iterator[Path | None]:
    """Move the existing store away, and back if the restore fails; yield its new path, None if there was no store."""
    from nightmail_cli.backup.snapshots import SnapshotFailed
    from nightmail_common.service.settings import PRIVATE_UMASK

    os.umask(PRIVATE_UMASK)  # nats-server inherits it
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK_FILE).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SnapshotFailed(f"nightmail up is running on the data folder {data_dir}: stop it first") from None
        store = data_dir / STORE
        kept = data_dir / f"{STORE}.before-{datetime.now(UTC):%Y%m%dT%H%M%S}" if store.exists() else None
        if kept is not None:
            store.rename(kept)
        try:
            yield kept
        except BaseException:
            shutil.rmtree(store, ignore_errors=True)
            if kept is not None:
                kept.rename(store)
            raise
        if os.geteuid() == 0:
            _give_to_owner(data_dir, store)


def _give_to_owner(data_dir: Path, store: Path) -> None:
    """Give what root created to the owner of the data folder, as which `nightmail up` runs."""
    owner = data_dir.stat()
    os.chown(data_dir / LOCK_FILE, owner.st_uid, owner.st_gid)
    for path in (store, *store.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def _server(data_dir: Path) -> Iterator["ServiceSettings"]:
    """Run a nats-server on the data folder's store with a password of its own; yield the settings to reach it."""
    from pydantic import SecretStr

    from nightmail_cli.local.embedded_nats import executable  # the users of NATS take long to import
    from nightmail_common.service.settings import ServiceSettings

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    password = secrets.token_urlsafe(32)
    config = data_dir / "restore.conf"
    store = json.dumps(str((data_dir / STORE).resolve()))
    write_private(config, _CONFIG.format(port=port, password=json.dumps(password), store=store))
    try:
        with subprocess.Popen([executable(), "-c", config], stderr=subprocess.DEVNULL) as process:
            try:
                yield ServiceSettings(
                    nats_url=f"nats://127.0.0.1:{port}",
                    nats_seeds=None,
                    nats_creds=None,
                    nats_ca=None,
                    nats_user="restore",
                    nats_password=SecretStr(password),
                )
            finally:
                process.terminate()
    finally:
        config.unlink()
