"""The read model's file may be lost, damaged or of another version: the API rebuilds it from the log."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from api.conftest import Replica, all_rows
from api.test_runs_over_rest import requested, run_with_status
from nightmail_api.read_model.database import DatabaseUnavailable, transaction
from nightmail_api.read_model.sqlite import SqliteDatabase
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.errors import CannotStart
from nightmail_common.contract.events import RunStarted
from support.deadlines import eventually


async def test_a_lost_or_damaged_file_or_one_of_another_version_is_rebuilt_to_the_same_rows(
    api: Replica, event_log: EventLog
) -> None:
    run_id, job = await requested(api, event_log)
    await event_log.publish(RunStarted(job_name=job.job_name, run_id=run_id, runner="r", attempt=1))
    await run_with_status(api, run_id, "running")
    await api.stop()
    before = all_rows(api.settings)
    assert before["runs"]
    for damage in ("deleted", "damaged", "another version"):
        if damage == "deleted":
            shutil.rmtree(api.projection_path.parent)
        elif damage == "damaged":
            api.projection_path.write_bytes(b"no database" * 1000)
        else:
            with closing(sqlite3.connect(api.projection_path)) as rows:
                rows.execute("PRAGMA user_version = 1")
        await api.start()
        await api.stop()
        assert all_rows(api.settings) == before, damage


async def test_a_file_that_is_damaged_while_the_api_runs_ends_the_api_and_is_built_again_at_its_start(
    api: Replica,
) -> None:
    await api.create()
    path = api.projection_path
    with closing(sqlite3.connect(path)) as rows:
        [(root,)] = rows.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'versions'").fetchall()
        [(size,)] = rows.execute("PRAGMA page_size").fetchall()
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)
    answer = await api.http.get("/jobs/daily%20sales/versions")
    assert answer.status_code == 503
    with pytest.raises(CannotStart, match="the next start builds them again"):
        await api.ended()
    await api.start()
    assert len((await api.http.get("/jobs/daily%20sales/versions")).json()["items"]) == 1


async def test_a_file_that_cannot_be_read_makes_the_api_not_ready(
    api: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise DatabaseUnavailable("disk I/O error")

    with monkeypatch.context() as context:
        context.setattr("nightmail_api.read_model.read_model.oldest_waiting", fail)

        async def is_reported() -> bool:
            [found] = [one for one in (await api.http.get("/system")).json()["checks"] if one["name"] == "read model"]
            return "disk I/O error" in found["detail"] and (await api.http.get("/health/ready")).status_code == 503

        await eventually(is_reported, "the read that fails is reported")

    async def is_ready() -> bool:
        return (await api.http.get("/health/ready")).status_code == 200

    await eventually(is_ready, "the API is ready again")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"no database" * 1000, ("warning", "file is not a database")),
        (b"", ("info", "another version of its tables")),  # SQLite reads an empty file as version 0
    ],
)
def test_only_a_damaged_file_is_a_warning(tmp_path: Path, content: bytes, line: tuple[str, str]) -> None:
    path = tmp_path / "projection.sqlite"
    path.write_bytes(content)
    database = SqliteDatabase(path)
    with capture_logs() as lines:
        database.create_missing_tables()
        database.create_missing_tables()
    database.close()
    assert [(each["log_level"], each["reason"]) for each in lines] == [line]


def test_the_cache_for_a_replay_is_given_back_after_it(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "projection.sqlite")
    database.create_missing_tables()

    def cache_kib() -> int:
        with transaction(database.engine) as connection:
            return -int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one())

    in_replay = cache_kib()
    database.finish_replay()
    assert cache_kib() <= in_replay / 8
    database.close()
