"""Sources of type sql: what the database has comes out, with every digit; nothing is written; every ceiling holds."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict
from datetime import date
from io import BytesIO
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any
from urllib.parse import quote

import pandas
import psycopg
import pytest

from nightmail_common.contract.events import ResultReady, RunFailed
from nightmail_common.contract.source_definition import DataSourceDefinition
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions
from nightmail_runner.parsing.parse_input import parse_input
from nightmail_runner.parsing.table import Table
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sql.connections import Connections, secret_parts, source_connections
from nightmail_runner.sql.reader import run_query
from nightmail_runner.sql.request import QueryFailed, QueryRequest
from support.deadlines import eventually, scaled
from support.http_source import TIMES, open_fetcher
from support.postgres_server import PostgresServer
from support.runner_process import Request, RunnerProcess, outcome_of


def sql(query: str, location: str = "SALES", **fields: Any) -> DataSourceDefinition:
    source = {"source_type": "sql", "location": location, "query": query, "timeout_seconds": scaled(20)}
    return DataSourceDefinition.model_validate(source | fields)


class Database:
    """A database, and what a job reads from it.

    Args:
        process: whether a reader process runs the queries, as for a job. In this process they take a thirtieth of the time.
    """

    def __init__(self, url: str, *, process: bool = False) -> None:
        self.url = url
        self._process = process

    @property
    def fetched(self) -> "Database":
        """The same database, whose queries are fetched by a reader process."""
        return Database(self.url, process=True)

    async def read(self, query: str, *, limits: dict[str, Any] | None = None, **fields: Any) -> Table:
        if not self._process:
            return await asyncio.to_thread(self._run, sql(query, **fields))
        async with open_fetcher(connections={"SALES": self.url}, **(limits or {})) as fetcher:
            data = await fetcher.fetch(sql(query, **fields), TIMES)
            with data.file:
                return _table(data.file.read(), data.notes)

    async def values(self, query: str, **options: Any) -> dict[str, list[Any]]:
        frame = (await self.read(query, **options)).frame
        return {
            str(name): [None if pandas.isna(value) else value for value in values]
            for name, values in frame.to_dict("list").items()
        }

    async def refusal(self, query: str, **options: Any) -> str:
        with pytest.raises(CannotFetch if self._process else QueryFailed) as refused:
            await self.read(query, **options)
        return str(refused.value)

    def _run(self, source: DataSourceDefinition) -> Table:
        output, seconds = BytesIO(), source.timeout_seconds
        assert source.query is not None
        assert seconds is not None
        request = QueryRequest(self.url, source.query, source.parameters, seconds, 1_000_000, 100_000, 100)
        run_query(request, output, lambda _cancel: None)
        return _table(output.getvalue(), request.notes)


def _table(result: bytes, notes: list[str]) -> Table:
    table = parse_input(memoryview(result), ReadOptions("arrow"))
    table.notes[:0] = notes
    return table


#: One for all tests, because no query writes: to create one takes as long as some tests together.
@pytest.fixture(scope="module")
def postgresql(postgres: PostgresServer) -> Database:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE sales (region text, amount numeric(12, 2), day date)")
        connection.execute(
            "INSERT INTO sales VALUES ('north', 10.50, '2026-12-31'), ('south', 5.25, '2026-12-30'), (NULL, NULL, NULL)"
        )
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'well')")
    return Database(url)


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    file = tmp_path / "sales file.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE sales (region, amount)")
        connection.executemany("INSERT INTO sales VALUES (?, ?)", [("north", 10), ("south", 5), (None, 2**53 + 1)])
    connection.close()
    return Database(f"sqlite:///{quote(str(file))}")


#: Values of PostgreSQL, and what a script gets.
VALUES: list[tuple[str, Any]] = [
    ("9007199254740993::int8", 9007199254740993),
    ("1::int2", 1),
    ("0.1::real", 0.1),
    ("1.5::float8", 1.5),
    ("10.50::numeric(12, 2)", 10.5),
    ("12345678901234567890.1234567890123::numeric", "12345678901234567890.1234567890123"),
    ("99999999999999999999::numeric", "99999999999999999999"),
    ("'01234'::text", "01234"),
    ("'12E4'::varchar", "12E4"),
    ("'well'::mood", "well"),
    ("true", True),
    ("'b5c3a3a0-1111-4222-8333-444455556666'::uuid", "b5c3a3a0-1111-4222-8333-444455556666"),
    ("'{\"id\": 12345678901234567890.0}'::jsonb", '{"id": 12345678901234567890.0}'),
    ("'2026-01-31'::date", pandas.Timestamp("2026-01-31")),
    ("'0001-01-01'::date", date(1, 1, 1)),
    ("'2026-01-31 09:30:00.123456'::timestamp", pandas.Timestamp("2026-01-31 09:30:00.123456")),
    ("'2026-01-31 09:30:00.123456+02'::timestamptz", pandas.Timestamp("2026-01-31 07:30:00.123456", tz="UTC")),
    ("null::int8", None),
    ("null::numeric", None),
    ("null", None),
]


async def test_each_value_of_postgresql_comes_out_with_every_digit(postgresql: Database) -> None:
    columns = ", ".join(f"{expression} AS v{number}" for number, (expression, _) in enumerate(VALUES))
    found = await postgresql.fetched.values(f"SELECT {columns}")
    for (expression, expected), (value,) in zip(VALUES, found.values(), strict=True):
        comparable = value.date() if type(expected) is date else value
        assert comparable == expected, expression
        assert comparable is None or isinstance(comparable, type(expected)), expression


async def test_integers_with_missing_values_keep_every_digit(postgresql: Database) -> None:
    table = await postgresql.read("SELECT * FROM (VALUES (9007199254740993), (NULL)) AS ids (id)")
    assert str(table.frame.id.dtype) == "Int64"
    assert table.frame.id[0] == 9007199254740993


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("'12.5'::money", "the type money, which cannot be read: cast it, ::numeric"),
        ("4294967295::oid", "cast it, ::bigint"),
        ("interval '1 day'", "the type interval"),
        ("array[1, 2]", "such as to_json"),
        ("'1.2.3.4'::inet", "the type inet, which cannot be read: cast it to text"),
        ("'\\x00'::bytea", "such as encode"),
        ("'[1,3)'::int4range", "cast it to text"),
    ],
)
async def test_a_type_whose_values_would_change_is_refused(postgresql: Database, expression: str, reason: str) -> None:
    message = await postgresql.refusal(f"SELECT {expression} AS value")
    assert "the column 'value'" in message
    assert reason in message


@pytest.mark.parametrize("expression", ["'infinity'::date", "'-infinity'::timestamptz", "'4713-01-01 BC'::date"])
async def test_a_date_that_is_none_is_refused(postgresql: Database, expression: str) -> None:
    with pytest.raises(InputNotReadable, match="years 1 to 9999"):
        await postgresql.read(f"SELECT {expression} AS value")


async def test_what_was_decided_is_a_note(postgresql: Database) -> None:
    table = await postgresql.read("SELECT 'NaN'::float8 AS a, 1e30::numeric AS b, 1 AS c, 2 AS c")
    assert list(table.frame.columns) == ["a", "b", "c", "c.1"]
    assert "the column 'a' has NaN" in " ".join(table.notes)
    assert "the column 'b' has numbers with more digits than 64 bits hold" in " ".join(table.notes)
    assert "the column name 'c' is there twice" in " ".join(table.notes)


#: The driver takes text for UTF-8, whatever the connection says.
async def test_text_of_a_database_in_latin_1_comes_out_and_is_found(postgres: PostgresServer) -> None:
    url = postgres.new_database("LATIN1")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE names (name text)")
        connection.execute("INSERT INTO names VALUES ('Müller')")
    expected = {"name": ["Müller"], "letters": ["Ã¼"]}
    for connected in (url, f"{url}&client_encoding=LATIN1"):
        query = "SELECT name, chr(195) || chr(188) AS letters FROM names WHERE name = $1"
        assert await Database(connected).values(query, parameters=["Müller"]) == expected
    assert "has no equivalent in encoding" in await Database(url).refusal("SELECT $1::text AS a", parameters=["漢"])


async def test_bytes_that_are_not_utf_8_are_refused(postgres: PostgresServer) -> None:
    url = postgres.new_database("SQL_ASCII")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE names (name text)")
        connection.execute("INSERT INTO names VALUES (E'M\\xfcller'), (E'\\xc3\\x9c')")
    database = Database(url)
    assert await database.values("SELECT name FROM names WHERE name = $1", parameters=["Ü"]) == {"name": ["Ü"]}
    assert 'invalid byte sequence for encoding "UTF8": 0xfc' in await database.refusal("SELECT name FROM names")


async def test_an_empty_result_keeps_its_columns(postgresql: Database) -> None:
    table = await postgresql.read("SELECT region, amount, day FROM sales WHERE false")
    assert list(table.frame.columns) == ["region", "amount", "day"]
    assert len(table.frame) == 0


async def test_parameters_are_bound_and_their_times_filled_in(postgresql: Database) -> None:
    day = "{{ scheduled_at | date('%Y-%m-%d') }}"  # 31 December in the job's zone
    query = "SELECT region FROM sales WHERE day = $1::date AND amount > $2 AND $3::text = '''; DROP TABLE sales; --'"
    found = await postgresql.fetched.values(query, parameters=[day, 5, "'; DROP TABLE sales; --"])
    assert found == {"region": ["north"]}


async def test_postgresql_takes_a_list_of_parameters(postgresql: Database) -> None:
    assert "as a list" in await postgresql.refusal("SELECT 1", parameters={"a": 1})
    assert "parameter" in await postgresql.refusal("SELECT $1 || $2", parameters=["a"])


@pytest.mark.parametrize(
    "ending", [";", " ; ", ";;", "-- all; of them;", ";\n", "; -- done", ";\n-- done\n-- ; ever ;\n"]
)
async def test_a_query_may_end_in_a_semicolon_or_a_comment(postgresql: Database, sqlite: Database, ending: str) -> None:
    for database in (postgresql, sqlite):
        assert await database.values(f"SELECT 1 AS a {ending}") == {"a": [1]}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT '; -- text' AS a",
        "SELECT '\n; -- text' AS a",
        "SELECT 1 AS a, $$; -- $$ AS b",
        "SELECT 1 /*; -- */ AS a",
    ],
)
def test_a_text_at_the_end_of_a_query_is_no_comment(query: str) -> None:
    assert QueryRequest("", query, None, 1, 1, 1, 1).statement == query + "\n"


async def test_an_error_shows_the_query_as_it_was_written(postgresql: Database) -> None:
    refused = "the database refuses the query: ERROR:  syntax error at or near "
    read = "\nSELECT, VALUES, TABLE and WITH are read"
    assert (
        await postgresql.refusal("EXPLAIN SELECT 1") == f'{refused}"EXPLAIN"\nLINE 1: EXPLAIN SELECT 1\n        ^{read}'
    )
    assert (await postgresql.refusal("/* a */ SHOW server_version")).endswith(f"               ^{read}")
    message = await postgresql.refusal("SELECT 1 AS a; -- it's all")
    assert message == f'{refused}";"\nLINE 1: SELECT 1 AS a; -- it\'s all\n                     ^'
    assert "a SELECT does" in await postgresql.refusal("-- nothing")


async def test_a_parameter_that_the_query_does_not_use_is_refused(postgresql: Database, sqlite: Database) -> None:
    message = await postgresql.refusal("SELECT $1::int AS a", parameters=[1, 2])
    assert message == "the source has 2 parameters, but the query uses 1 of them: it has no $2"
    assert "it has no $1" in await postgresql.refusal("SELECT $10::int AS a", parameters=[1] * 10)
    message = await postgresql.refusal("SELECT $1::int AS a, $2::int AS b", parameters=[1])
    assert message.endswith('bind message supplies 1 parameters, but prepared statement "" requires 2')
    message = await sqlite.refusal("SELECT :day AS a", parameters={"day": 1, "days": 2})
    assert message == "the source has 2 parameters, but the query uses 1 of them: it has no :days"
    other = Database(postgresql.url.replace("postgresql://", "postgresql+psycopg://"))
    assert "it has no :b" in await other.refusal("SELECT :a AS a", parameters={"a": 1, "b": 2})


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO sales VALUES ('west', 1, NULL) RETURNING region",
        "WITH added AS (INSERT INTO sales VALUES ('west', 1, NULL) RETURNING region) SELECT * FROM added",
        "DELETE FROM sales",
        "CREATE TABLE other (a int)",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "COMMIT; DELETE FROM sales",
        "COMMIT",
        "SELECT 1; DELETE FROM sales",
    ],
)
async def test_a_query_writes_nothing_to_postgresql(postgresql: Database, query: str) -> None:
    await postgresql.refusal(query)
    assert await postgresql.values("SELECT count(*) AS n FROM sales") == {"n": [3]}


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO sales VALUES ('west', 1)",
        "DELETE FROM sales RETURNING region",
        "ATTACH 'other.db' AS other",
        "VACUUM INTO 'copy.db'",
        "COMMIT; VACUUM INTO 'copy.db'",
        "PRAGMA query_only = off",
        "SELECT load_extension('x')",
    ],
)
async def test_a_query_writes_nothing_and_opens_nothing_with_sqlite(
    sqlite: Database, tmp_path: Path, query: str
) -> None:
    await sqlite.refusal(query)
    assert await sqlite.values("SELECT count(*) AS n FROM sales") == {"n": [3]}
    assert sorted(tmp_path.glob("*.db")) == [tmp_path / "sales file.db"]  # noqa: ASYNC240


async def test_sqlite_keeps_every_digit_and_its_texts(sqlite: Database) -> None:
    found = await sqlite.values("SELECT region, amount FROM sales")
    assert found == {"region": ["north", "south", None], "amount": [10, 5, 2**53 + 1]}
    mixed = "SELECT * FROM (VALUES (9007199254740993, '01', 1), (1.5, 2, 2.5))"
    table = await sqlite.read(mixed)
    assert table.frame.iloc[:, 0].tolist() == ["9007199254740993", "1.5"]
    assert table.frame.iloc[:, 1].tolist() == ["01", "2"]
    assert table.frame.iloc[:, 2].tolist() == [1.0, 2.5]
    assert "has numbers and text" in " ".join(table.notes)


async def test_a_column_of_sqlite_may_begin_with_many_missing_values(sqlite: Database) -> None:
    query = """
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 25000)
        SELECT n, CASE WHEN n > 20000 THEN 'x' END AS late FROM numbers"""
    found = await sqlite.fetched.values(query)
    assert found["n"] == list(range(1, 25001))
    assert found["late"][19999:20001] == [None, "x"]


async def test_sqlite_takes_parameters_by_position_and_by_name(sqlite: Database) -> None:
    assert await sqlite.values("SELECT region FROM sales WHERE amount = ?", parameters=[5]) == {"region": ["south"]}
    found = await sqlite.values("SELECT region FROM sales WHERE region = :region", parameters={"region": "north"})
    assert found == {"region": ["north"]}


async def test_a_result_of_sqlite_without_rows_has_columns_of_text_and_a_note(sqlite: Database) -> None:
    table = await sqlite.read("SELECT region, amount FROM sales WHERE false")
    assert list(table.frame.columns) == ["region", "amount"]
    assert "does not say of which types its columns are" in " ".join(table.notes)


async def test_decimals_that_a_table_has_as_text_are_a_note(sqlite: Database) -> None:
    table = await sqlite.read("SELECT * FROM (VALUES ('10.50', '007', '1.5'), (NULL, '008', 'x'))")
    assert table.frame.iloc[0].tolist() == ["10.50", "007", "1.5"]
    (note,) = table.notes
    assert (
        "the column 'column1' is text, so a sum joins its values: all are text in the database, such as '10.50'" in note
    )


async def test_texts_that_are_filled_up_with_spaces_are_a_note(postgresql: Database) -> None:
    query = "SELECT a::char(3) AS a, a::varchar(3) AS b, 'x '::text AS c FROM (VALUES ('n'), (NULL), ('abc')) AS t (a)"
    table = await postgresql.read(query)
    assert table.frame["a"].dropna().tolist() == ["n  ", "abc"]
    (padded, other) = table.notes
    assert "the column 'a' are filled up with spaces to 3 characters, such as 'n  '" in padded
    assert "the column 'c' are filled up with spaces to 2 characters" in other


async def test_a_blob_of_sqlite_is_refused_with_a_function_that_sqlite_has(sqlite: Database) -> None:
    assert "make it text, such as hex(...)" in await sqlite.refusal("SELECT x'ff00' AS a")
    assert await sqlite.values("SELECT hex(x'ff00') AS a") == {"a": ["FF00"]}


async def test_a_missing_file_of_sqlite_is_not_created(sqlite: Database, tmp_path: Path) -> None:
    missing = Database(f"sqlite:///{tmp_path}/missing.db")
    assert "unable to open database file" in await missing.fetched.refusal("SELECT 1")
    assert not (tmp_path / "missing.db").exists()


async def test_other_databases_go_through_sqlalchemy(postgresql: Database) -> None:
    other = Database(postgresql.url.replace("postgresql://", "postgresql+psycopg://"))
    query = "SELECT region, amount, day, 12345678901234567890.5 AS n FROM sales WHERE region = :region"
    found = await other.values(query, parameters={"region": "north"})
    assert found == {
        "region": ["north"],
        "amount": [10.5],
        "day": [pandas.Timestamp("2026-12-31")],
        "n": ["12345678901234567890.5"],
    }
    assert "as an object" in await other.refusal("SELECT 1", parameters=[1])
    assert "the type time with a time zone" in await other.refusal("SELECT '09:30+02'::timetz AS a")
    assert await other.values("SELECT current_setting('transaction_read_only') AS a") == {"a": ["on"]}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("oracle://scott:tiger@db/x", "no driver for the scheme 'oracle'"),
        ("unknown://scott:tiger@db/x", "postgresql, postgres and sqlite are built in"),
        ("host=db password=tiger", "not a URL like postgresql://"),
    ],
)
async def test_a_connection_that_no_driver_understands_is_refused(url: str, reason: str) -> None:
    message = await Database(url, process=True).refusal("SELECT 1")
    assert reason in message
    assert "tiger" not in message


async def test_the_ceilings_hold_while_the_result_streams(postgresql: Database, sqlite: Database) -> None:
    postgresql, sqlite = postgresql.fetched, sqlite.fetched
    many = "SELECT n, repeat('x', 100) AS t FROM generate_series(1, 3000000) AS n"
    assert "1000000 bytes of NIGHTMAIL_MAX_INPUT_BYTES" in await postgresql.refusal(many, limits={"rows": 10**9})
    assert "100000 rows of NIGHTMAIL_MAX_ROWS" in await postgresql.refusal(many, limits={"limit": 10**9})
    wide = f"SELECT {', '.join(f'{n} AS c{n}' for n in range(101))}"
    rows = "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n, hex(zeroblob(50)) FROM r"
    for database in (postgresql, sqlite):
        assert "100 of NIGHTMAIL_MAX_COLUMNS" in await database.refusal(wide)
    assert "MAX_INPUT_BYTES" in await sqlite.refusal(rows, limits={"rows": 10**9})
    assert "100000 rows of NIGHTMAIL_MAX_ROWS" in await sqlite.refusal(rows, limits={"limit": 10**9})


async def test_a_bound_query_cannot_take_the_machines_memory(postgresql: Database) -> None:
    query = "SELECT repeat('x', 100000) AS t FROM generate_series(1, $1::int)"
    message = await postgresql.fetched.refusal(query, parameters=[30_000], timeout_seconds=600)
    assert message == "the result does not fit into memory; NIGHTMAIL_MAX_INPUT_BYTES allows 1000000 bytes"


#: libpq holds this result, and there is no room for it in Arrow beside that: the driver's error has no message.
async def test_many_rows_of_a_bound_query_cannot_take_the_machines_memory(postgresql: Database) -> None:
    query = "SELECT i, repeat('x', 1000) AS t FROM generate_series(1, $1) AS i"
    limits = {"limit": 20_000_000}
    message = await postgresql.fetched.refusal(query, parameters=[300_000], timeout_seconds=600, limits=limits)
    assert message == "the result does not fit into memory; NIGHTMAIL_MAX_INPUT_BYTES allows 20000000 bytes"


async def test_what_a_query_of_sqlite_sorts_cannot_fill_the_disk(sqlite: Database) -> None:
    rows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 4000) SELECT zeroblob(1000000) || x AS y FROM c"
    assert "does not fit into memory" in await sqlite.fetched.refusal(f"{rows} ORDER BY y LIMIT 1 OFFSET 10000")


async def test_a_slow_query_ends_at_its_time(postgresql: Database) -> None:
    started = time.monotonic()
    message = await postgresql.fetched.refusal("SELECT pg_sleep(600)::text", timeout_seconds=1)
    assert "took longer than 1 s; the source's timeout_seconds can allow more" in message
    assert time.monotonic() - started < scaled(15)


async def test_a_slow_query_of_sqlite_ends_at_its_time(sqlite: Database) -> None:
    endless = "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) AS n FROM r"
    message = await sqlite.fetched.refusal(endless, timeout_seconds=1)
    assert message == "the query took longer than 1 s; the source's timeout_seconds can allow more"
    other = Database(sqlite.url.replace("sqlite:", "sqlite+pysqlite:"), process=True)
    assert await other.refusal(endless, timeout_seconds=1) == message


async def test_a_database_of_sqlite_that_is_locked_is_an_error_that_says_so(sqlite: Database, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sales file.db", isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        message = await sqlite.refusal("SELECT region FROM sales", timeout_seconds=1)
    assert "database is locked: another process writes to it, and held its lock for longer than 1 s" in message


async def test_a_query_that_pythons_module_refuses_is_an_error_of_the_source(sqlite: Database) -> None:
    assert "one statement at a time" in await sqlite.refusal("SELECT 1 AS a; SELECT 2 AS a")


async def test_a_cancelled_fetch_ends_its_query_in_the_database(postgresql: Database) -> None:
    async with open_fetcher(connections={"SALES": postgresql.url}) as fetcher:
        fetch = asyncio.create_task(fetcher.fetch(sql("SELECT pg_sleep(600)::text AS a", timeout_seconds=600), TIMES))
        active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state = 'active' AND pid <> pg_backend_pid()"
        with psycopg.connect(postgresql.url, autocommit=True) as connection:

            async def sleeping(expected: int) -> bool:
                return connection.execute(active).fetchone() == (expected,)

            await eventually(lambda: sleeping(1), "the query runs")
            fetch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fetch
            await eventually(lambda: sleeping(0), "the query has ended")


async def test_a_database_that_cannot_be_reached_is_tried_three_times_and_its_password_is_masked(
    postgresql: Database,
) -> None:
    message = await Database("postgresql://reader:hunter2@127.0.0.1:1/sales", process=True).refusal("SELECT 1")
    assert "Connection refused" in message
    assert "(3 attempts)" in message
    assert "hunter2" not in message


async def test_a_database_that_refuses_the_user_is_not_tried_again(postgresql: Database) -> None:
    message = await Database(postgresql.url.replace("/test_", "/none_"), process=True).refusal("SELECT 1")
    assert message.startswith("no connection to the database: FATAL:")
    assert "attempts" not in message


async def test_an_error_is_in_the_words_of_the_database(postgresql: Database, sqlite: Database) -> None:
    message = await postgresql.refusal("SELECT missing FROM sales")
    assert message.startswith('the database refuses the query: ERROR:  column "missing" does not exist')
    assert "no such column: missing" in await sqlite.refusal("SELECT missing FROM sales")
    broken = "SELECT 10 / (n - 90000) AS a FROM generate_series(1, 100000) AS n"
    assert "division by zero" in await postgresql.fetched.refusal(broken, limits={"limit": 10**9, "rows": 10**9})
    for database in (postgresql, sqlite):
        assert "a SELECT does" in await database.refusal("ROLLBACK" if database is postgresql else "-- nothing")


async def test_a_connection_that_the_runner_does_not_have_is_named(postgresql: Database) -> None:
    assert "NIGHTMAIL_CONNECTION_CRM" in await postgresql.fetched.refusal("SELECT 1", location="crm")
    assert await postgresql.fetched.values("SELECT 1 AS a", location="connection_sales") == {"a": [1]}


def test_connections_come_from_the_environment_or_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("NIGHTMAIL_CONNECTION_A=sqlite:///a\nNIGHTMAIL_CONNECTION_B=sqlite:///b\n")
    monkeypatch.setenv("NIGHTMAIL_CONNECTION_B", "sqlite:///c")
    connections = source_connections(tmp_path / ".env")
    assert (connections.url("a"), connections.url("B")) == ("sqlite:///a", "sqlite:///c")
    with pytest.raises(CannotFetch, match="NIGHTMAIL_CONNECTION_C"):
        Connections({}).url("C")


#: A reader that exits with whether it failed, or has imported pandas, which takes a third of a second and 40 MB of each query.
READER = """
import os, sys
from nightmail_runner.sql import reader
reader._report = lambda report: os._exit("error" in report or "pandas" in sys.modules)
reader.main()
"""


def test_a_reader_imports_no_pandas(postgresql: Database, sqlite: Database) -> None:
    for database, query in ((postgresql, "SELECT $1::int AS a"), (sqlite, "SELECT ? AS a")):
        request = json.dumps(asdict(QueryRequest(database.url, query, [1], 60, 1_000_000, 10, 10)))
        with subprocess.Popen([sys.executable, "-c", READER], stdin=PIPE, stdout=DEVNULL, text=True) as reader:
            assert reader.stdin is not None
            reader.stdin.write(f"{request}\n")
            reader.stdin.flush()
            assert reader.wait(scaled(30)) == 0, query


def test_the_secret_parts_of_a_url_are_masked() -> None:
    url = "postgresql://me:p%40ss@db/x?sslpassword=other"
    assert set(secret_parts(url)) == {url, "me:p%40ss", "p%40ss", "p@ss", "other"}


async def test_a_run_mails_what_the_database_has(
    start_runner: Any, request_run: Request, event_log: Any, postgresql: Database
) -> None:
    runner: RunnerProcess = start_runner(connection_sales=postgresql.url)
    await runner.ready()
    source = sql("SELECT region, amount FROM sales WHERE amount > $1 ORDER BY amount", parameters=[1])
    request = await request_run(data_source=source.model_dump(), processing_script="return data")
    outcome = await outcome_of(event_log, request)
    assert isinstance(outcome, ResultReady), outcome.error if isinstance(outcome, RunFailed) else outcome
    assert outcome.csv.data == b"region,amount\nsouth,5.25\nnorth,10.5\n"
    assert len(outcome.input_sha256) == 64
    again = await request_run(data_source=source.model_dump(), processing_script="return data")
    second = await outcome_of(event_log, again)
    assert isinstance(second, ResultReady)
    assert second.input_sha256 == outcome.input_sha256
