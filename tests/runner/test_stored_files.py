"""Stored files: the uploaded one counts on every runner, and one of the runner's own folder that differs is a note."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from nightmail_common.broker.file_store import FileStore
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.job import DataSource
from nightmail_runner.sources.errors import CannotFetch
from support.http_source import TIMES, open_fetcher

SOURCE = DataSource(source_type="file", location="a/b.csv", file_type="csv")


async def content(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
async def uploads(nats_client: Client, event_log: EventLog) -> FileStore:
    return FileStore(nats_client.jetstream())


async def read(folder: Path, uploads: FileStore, limit: int = 1_000_000) -> tuple[bytes, list[str]]:
    async with open_fetcher(folder, uploads=uploads, limit=limit) as fetcher:
        data = await fetcher.fetch(SOURCE, TIMES)
        with data.file:
            return data.file.read(), data.notes


async def test_a_file_is_read_from_the_bucket_or_else_from_the_folder(tmp_path: Path, uploads: FileStore) -> None:
    with pytest.raises(CannotFetch, match="No such file"):
        await read(tmp_path, uploads)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.csv").write_bytes(b"local")
    assert await read(tmp_path, uploads) == (b"local", [])
    large = bytes(range(256)) * 2000
    await uploads.put("a/b.csv", content(large))
    found, notes = await read(tmp_path, uploads)
    assert found == large
    [note] = notes
    assert note.startswith("'a/b.csv' was uploaded (")
    assert note.endswith("and read; the runner's NIGHTMAIL_DATA_DIR/files has another one")
    (tmp_path / "a" / "b.csv").write_bytes(large)
    assert await read(tmp_path, uploads) == (large, [])
    (tmp_path / "a" / "b.csv").write_bytes(large[:-1] + b"x")
    assert len((await read(tmp_path, uploads))[1]) == 1
    await uploads.delete("a/b.csv")
    assert (await read(tmp_path, uploads))[0] == large[:-1] + b"x"


async def test_an_uploaded_file_counts_against_the_ceiling_of_an_input(tmp_path: Path, uploads: FileStore) -> None:
    await uploads.put("a/b.csv", content(bytes(200_000)))
    with pytest.raises(CannotFetch, match="MAX_INPUT_BYTES"):
        await read(tmp_path, uploads, limit=150_000)


async def test_a_file_that_is_replaced_while_it_is_read_is_read_again(tmp_path: Path, uploads: FileStore) -> None:
    await uploads.put("a/b.csv", content(bytes(300_000)))
    whole = uploads.read
    replaced = False

    async def replace_in_between(entry: object) -> AsyncIterator[bytes]:
        nonlocal replaced
        async for piece in whole(entry):  # type: ignore[arg-type]
            yield piece
            if not replaced:
                replaced = True
                await uploads.put("a/b.csv", content(b"new"))

    uploads.read = replace_in_between  # type: ignore[method-assign]
    assert await read(tmp_path, uploads) == (b"new", [])
