"""A source is tried as far as its first bytes, by the rules of a fetch."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from nightmail_common.contract.job import DataSource
from nightmail_runner.sources.errors import CannotFetch
from support.deadlines import scaled
from support.http_source import TIMES, Source, open_fetcher
from support.runner_process import RunnerProcess


async def problem(source: DataSource, files: Path = Path(), **options: Any) -> str | None:
    async with open_fetcher(files, **options) as fetcher:
        try:
            await fetcher.check(source, TIMES)
        except CannotFetch as error:
            return str(error)
        return None


def api(url: str, **fields: Any) -> DataSource:
    return DataSource.model_validate({"source_type": "api", "location": url, "file_type": "csv"} | fields)


async def test_an_api_is_asked_once_and_its_refusal_is_the_problem(source: Source) -> None:
    source.answers["/a"] = [(200, {}, bytes(5_000_000))]
    source.answers["/b"] = [(404, {}, b"no such report for s3cret")]
    source.answers["/c"] = [(200, {}, b"")]
    assert await problem(api(source.url("/a"))) is None  # more than an input may have, and not read
    found = await problem(api(source.url("/b"), headers={"Key": "{{ secrets.KEY }}"}), KEY="s3cret")
    assert found == "the source answered 404 Not Found: no such report for ***"
    assert await problem(api(source.url("/c"))) is None
    assert "FETCH_ALLOW" in str(await problem(api(source.url("/a")), allow=()))
    assert len(source.requests) == 3


async def test_a_post_is_not_sent_and_only_the_first_page_is_read(source: Source) -> None:
    source.answers["/a"] = [(200, {"link": '</b>; rel="next"'}, b"a\n1\n")]
    assert await problem(api(source.url("/a"), method="POST")) is None
    assert not source.requests
    assert await problem(api(source.url("/a"), pagination={"type": "link"})) is None
    assert [path for path, _ in source.requests] == ["/a"]


async def test_a_file_and_a_connection_are_tried(tmp_path: Path) -> None:
    stored = DataSource(source_type="file", location="a.csv", file_type="csv")
    assert "No such file" in str(await problem(stored, tmp_path))
    (tmp_path / "a.csv").write_text("a\n")
    assert await problem(stored, tmp_path) is None
    sql = DataSource(source_type="sql", location="A", query="DELETE FROM x", timeout_seconds=scaled(10))
    assert "NIGHTMAIL_CONNECTION_A" in str(await problem(sql))
    sqlite3.connect(tmp_path / "a.db").close()
    (tmp_path / "a.db").touch()
    assert await problem(sql, connections={"A": f"sqlite:///{tmp_path}/a.db"}) is None
    missing = await problem(sql, connections={"A": f"sqlite:///{tmp_path}/b.db"})
    assert "unable to open database file" in str(missing)


@pytest.mark.parametrize(("location", "problem"), [("sales.csv", None), ("none.csv", "No such file or directory")])
async def test_a_runner_answers(
    start_runner: Callable[..., RunnerProcess], nats_client: Client, location: str, problem: str | None
) -> None:
    await start_runner(script_timeout="7").ready()
    source = DataSource(source_type="file", location=location, file_type="csv")
    body = {"data_source": source.model_dump(mode="json"), "timezone": "Europe/Paris"}
    reply = await nats_client.request("preview.source", json.dumps(body).encode(), timeout=scaled(5))
    answer = json.loads(reply.data)
    assert answer["script_timeout"] == 7
    found = answer["problem"]
    assert found is None if problem is None else problem in found
    damaged = await nats_client.request("preview.source", b"{}", timeout=scaled(5))
    assert "error" in json.loads(damaged.data)
