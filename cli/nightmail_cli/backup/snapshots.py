"""Copies of the broker's streams as files, and back, by JetStream's snapshots.

A copy is a folder: for each stream a folder of its name with `backup.json` (its configuration and state) and
`stream.tar.s2` (messages and consumers), the layout of `nats stream backup`; and `manifest.json` with the SHA-256 of each.
Source: the server's API `$JS.API.STREAM.SNAPSHOT` and `RESTORE` (docs.nats.io, JetStream wire API).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.js.api import StorageType

from nightmail_common.broker.streams import LEASES, STREAM

MANIFEST = "manifest.json"
CHUNK_BYTES = 128 * 1024
#: The server checks every block of a stream before it sends the first chunk.
ANSWER_SECONDS = 60.0
#: A restored lease would keep every ticker from leading.
_NOT_COPIED = {f"KV_{LEASES}"}
#: Status of the empty message that ends a snapshot; a snapshot of one chunk has none. Any other status is a failure.
_COMPLETE = "204"


class SnapshotFailed(Exception):
    """A copy is incomplete, or cannot be restored; the message names the stream and the reason."""


@dataclass(frozen=True)
class StreamCopy:
    """One stream in a copy. `size` in bytes and `sha256` are those of its `stream.tar.s2`."""

    name: str
    messages: int
    last_sequence: int
    size: int
    sha256: str


async def copy_streams(client: Client, folder: Path) -> list[StreamCopy]:
    """Copy every stream and bucket into a new folder, which appears only when it is complete.

    The log is copied first: the other copies (mail records, results) may be newer than the log, never older. So no
    result that the log refers to is missing, and no mail is sent twice.

    Raises:
        SnapshotFailed: the folder exists, or the broker does not answer.
        OSError: the folder cannot be written.
    """
    if folder.exists():  # noqa: ASYNC240 (nothing else runs in a command's loop)
        raise SnapshotFailed(f"{folder} exists already")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        partial = Path(beside) / folder.name
        partial.mkdir(mode=0o700)
        copies = await _copy_all(client, partial)
        partial.rename(folder)
    return copies


async def _copy_all(client: Client, folder: Path) -> list[StreamCopy]:
    streams = [info.config for info in await client.jetstream().streams_info()]
    names = [str(stream.name) for stream in streams if stream.storage == StorageType.FILE]
    if STREAM not in names:
        raise SnapshotFailed(f"the broker has no stream {STREAM}: nothing to copy")
    names.sort(key=lambda name: (name != STREAM, name))
    copies = [await _copy_stream(client, name, folder / name) for name in names if name not in _NOT_COPIED]
    manifest = {"made_at": datetime.now(UTC).isoformat(), "streams": [asdict(copy) for copy in copies]}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return copies


async def _copy_stream(client: Client, name: str, folder: Path) -> StreamCopy:
    folder.mkdir(mode=0o700)  # noqa: ASYNC240
    inbox = client.new_inbox()
    chunks = await client.subscribe(inbox)
    try:
        wanted = {"deliver_subject": inbox, "chunk_size": CHUNK_BYTES, "no_consumers": False, "jsck": True}
        answer = await _ask(client, f"$JS.API.STREAM.SNAPSHOT.{name}", wanted, name)
        digest, size = hashlib.sha256(), 0
        with (folder / "stream.tar.s2").open("xb") as file:
            while (chunk := await chunks.next_msg(timeout=ANSWER_SECONDS)).data:
                file.write(chunk.data)
                digest.update(chunk.data)
                size += len(chunk.data)
                if chunk.reply:
                    await client.publish(chunk.reply)
    except nats.errors.TimeoutError:
        raise SnapshotFailed(f"{name}: the broker stopped sending") from None
    finally:
        await chunks.unsubscribe()
    status = (chunk.headers or {}).get("Status")
    if status not in {None, _COMPLETE}:
        raise SnapshotFailed(
            f"{name}: the broker aborted the snapshot ({status} {(chunk.headers or {}).get('Description', '')})"
        )
    state = {"config": answer["config"], "state": answer["state"]}
    (folder / "backup.json").write_text(json.dumps(state, indent=2) + "\n")
    return StreamCopy(name, state["state"]["messages"], state["state"]["last_seq"], size, digest.hexdigest())


def read_copy(folder: Path) -> list[StreamCopy]:
    """Return the streams of a copy after comparing the SHA-256 of each file.

    Raises:
        SnapshotFailed: the folder is not a copy, or a file has changed.
    """
    try:
        copies = [StreamCopy(**stream) for stream in json.loads((folder / MANIFEST).read_text())["streams"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapshotFailed(f"{folder} is not a backup: {error}") from error
    for copy in copies:
        with (folder / copy.name / "stream.tar.s2").open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != copy.sha256:
                raise SnapshotFailed(f"{copy.name}: stream.tar.s2 has changed since the backup (SHA-256)")
    return copies


async def restore_streams(client: Client, folder: Path, copies: list[StreamCopy], replicas: int | None = None) -> None:
    """Restore the streams of a copy to a broker that has none of them.

    Args:
        replicas: the number of servers that keep each stream; None keeps the number in the copy.

    Raises:
        SnapshotFailed: the broker refuses, or one of the streams exists.
    """
    existing = {str(info.config.name) for info in await client.jetstream().streams_info()}
    if taken := sorted(existing & {copy.name for copy in copies}):
        raise SnapshotFailed(f"the broker has {', '.join(taken)} already")
    for copy in copies:
        state = json.loads((folder / copy.name / "backup.json").read_text())
        if replicas is not None:
            state["config"]["num_replicas"] = replicas
        answer = await _ask(client, f"$JS.API.STREAM.RESTORE.{copy.name}", state, copy.name)
        with (folder / copy.name / "stream.tar.s2").open("rb") as file:
            while True:
                chunk = file.read(CHUNK_BYTES)
                reply = await client.request(answer["deliver_subject"], chunk, timeout=ANSWER_SECONDS)
                _check(json.loads(reply.data or b"{}"), copy.name)
                if not chunk:
                    break


async def _ask(client: Client, subject: str, request: dict[str, Any], stream: str) -> dict[str, Any]:
    try:
        reply = await client.request(subject, json.dumps(request).encode(), timeout=ANSWER_SECONDS)
    except (nats.errors.TimeoutError, nats.errors.NoRespondersError):
        raise SnapshotFailed(f"{stream}: JetStream does not answer; this NATS user may lack the permission") from None
    answer: dict[str, Any] = json.loads(reply.data)
    _check(answer, stream)
    return answer


def _check(answer: dict[str, Any], stream: str) -> None:
    if (error := answer.get("error")) is not None:
        raise SnapshotFailed(f"{stream}: {error.get('description', error)}")
