"""The sandbox alone: what it returns, and how it reports what went wrong."""

import asyncio
import gzip
import io
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest

from nightmail_common.contract.limits import MAX_LOG_PART_BYTES, MAX_REASON_CHARS
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.isolation.lockdown import optional_layers
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed, SandboxResult, Skipped, Succeeded
from nightmail_runner.sandbox.task import Limits, Task
from support.deadlines import scaled

DATA = b"region,amount\nnorth,10\nsouth,5\nnorth,7\n"
TASK = Task(
    script="return data.groupby('region', as_index=False).amount.sum()",
    read=ReadOptions("csv"),
    job_name="daily sales",
    scheduled_at=datetime(2026, 1, 2, 9, tzinfo=UTC),
    limits=Limits(timeout_seconds=scaled(20)),
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def run(sandbox: Sandbox, script: str, timeout_seconds: float = scaled(20)) -> tuple[SandboxResult, bytes]:
    """Return the result of a script on `DATA`, and its CSV."""
    task = replace(TASK, script=script, limits=Limits(timeout_seconds))
    with MemoryFile.of(DATA) as source, MemoryFile("csv") as csv:
        return await sandbox.run(task, source, csv), csv.read()


async def csv_of(sandbox: Sandbox, script: str) -> bytes:
    result, csv = await run(sandbox, script)
    assert isinstance(result, Succeeded), result
    return csv


@pytest.mark.parametrize(
    "script",
    [
        "return data.head(1)",
        "result = data.head(1)",
        "def process(data):\n    return data.head(1)",
        "if len(data):\n    return data.head(1)\nreturn data",
        "from __future__ import annotations\nreturn data[:1]",
    ],
)
async def test_a_script_returns_its_dataframe_in_any_of_three_forms(sandbox: Sandbox, script: str) -> None:
    assert await csv_of(sandbox, script) == b"region,amount\nnorth,10\n"


def _parquet() -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"region": ["north"], "amount": [10]}), sink)
    return sink.getvalue()


def _workbook() -> bytes:
    sink, book = io.BytesIO(), openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["region", "amount"])
    book.active.append(["north", 10])
    book.save(sink)
    return sink.getvalue()


def _arrow() -> bytes:
    sink, table = io.BytesIO(), pyarrow.table({"region": ["north"], "amount": [10]})
    with pyarrow.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("file_type", "data"),
    [
        ("tsv", b"region\tamount\nnorth\t10\n"),
        ("json", b'[{"region": "north", "amount": 10}]'),
        ("jsonl", b'{"region": "north", "amount": 10}\n'),
        ("xlsx", _workbook()),
        ("parquet", _parquet()),
        ("arrow", _arrow()),
        ("csv", gzip.compress(b"region,amount\nnorth,10\n", mtime=0)),
    ],
)
async def test_a_worker_reads_every_file_type_without_access_to_files(
    sandbox: Sandbox, file_type: Any, data: bytes
) -> None:
    task = replace(TASK, script="return data", read=ReadOptions(file_type))
    with MemoryFile.of(data) as source, MemoryFile("csv") as csv:
        result = await sandbox.run(task, source, csv)
        assert isinstance(result, Succeeded), result
        assert csv.read() == b"region,amount\nnorth,10\n"


async def test_a_script_may_return_a_series(sandbox: Sandbox) -> None:
    assert await csv_of(sandbox, "return data.groupby('region').amount.sum()") == b"region,amount\nnorth,17\nsouth,5\n"
    assert await csv_of(sandbox, "result = data.amount[data.amount < 10]") == b"amount\n5\n7\n"


@pytest.mark.parametrize(
    "script",
    [
        "print('looked')\nif len(data) == 3:\n    skip('nothing new')\nreturn data",
        "print('looked')\nskip('nothing new')",
        "print('looked')\ndef process(data):\n    try:\n        skip('nothing new')\n    except Exception:\n        return data",
    ],
)
async def test_a_script_may_end_its_run_with_a_reason(sandbox: Sandbox, script: str) -> None:
    result, csv = await run(sandbox, script)
    assert isinstance(result, Skipped), result
    assert (result.reason, result.log, csv) == ("nothing new", "looked\n", b"")


async def test_a_long_reason_is_shortened(sandbox: Sandbox) -> None:
    result, _ = await run(sandbox, "skip('x' * 10**6)")
    assert isinstance(result, Skipped)
    assert result.reason == "x" * MAX_REASON_CHARS


async def test_a_carriage_return_in_a_cell_does_not_begin_a_row(sandbox: Sandbox) -> None:
    csv = await csv_of(sandbox, "return pd.DataFrame({'a': ['Bob\\r=1+cmd', 'x'], 'b': ['1\\r\\n2', '3']})")
    assert csv == b'a,b\n"Bob\r=1+cmd","1\r\n2"\nx,3\n'


async def test_a_script_gets_data_name_time_pandas_and_numpy(sandbox: Sandbox) -> None:
    script = "return pd.DataFrame({'n': [np.int64(len(data))], 'job': [job_name], 'at': [scheduled_at.isoformat()]})"
    assert await csv_of(sandbox, script) == b"n,job,at\n3,daily sales,2026-01-02T09:00:00+00:00\n"


@pytest.mark.parametrize(
    ("script", "kind", "says"),
    [
        ("return 3", "not_a_dataframe", "returned an object of type int, not a DataFrame: 3"),
        ("return None", "not_a_dataframe", "returned None"),
        ("return [{'a': 1}]", "not_a_dataframe", "`pd.DataFrame(...)` makes one of it"),
        ("return data.groupby('region')", "not_a_dataframe", "such as `.sum()`"),
        ("return data.sum", "not_a_dataframe", "call it: `()`"),
        ("result = data.amount.sum", "not_a_dataframe", "result is an object of type method"),
        ("x = 1", "not_a_dataframe", "neither returns"),
        ("table = data.head(1)", "not_a_dataframe", "write `return table` as its last line"),
        ("data.head(\n    1\n)", "not_a_dataframe", "write `return` before its last expression, in line 1"),
        ("print(data)", "not_a_dataframe", "print writes to the run's log: end the script with `return`"),
        ("return (", "script", "never closed"),
        ("while True: pass", "timeout", "longer than"),
        ("x = bytearray(10**10)", "out_of_memory", "more memory"),
    ],
)
async def test_each_kind_of_failure_is_reported_as_such(sandbox: Sandbox, script: str, kind: str, says: str) -> None:
    result, _ = await run(sandbox, script, timeout_seconds=1 if kind == "timeout" else scaled(20))
    assert isinstance(result, Failed)
    assert result.kind == kind
    assert says in result.message


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("return data['amout']", "'amout': the columns are: region, amount; did you mean 'amount'?"),
        ("return data.Amount", "no attribute 'Amount': the columns are: region, amount; did you mean 'amount'?"),
        ("return data[['region', 'amout']]", "did you mean 'amount'?"),
        ("return data.groupby('regio').amount.sum()", "the columns are: region, amount; did you mean 'region'?"),
        ("return data.groupby('region').agg({'amout': 'sum'})", "did you mean 'amount'?"),
        ("return data.query('amout > 1')", "did you mean 'amount'?"),
        ("return data.merge(data, on='regio')", "did you mean 'region'?"),
        (
            "return data.apply(lambda row: row['amout'], axis=1)",
            "the labels are: region, amount; did you mean 'amount'?",
        ),
        ("return data.set_index('region').loc['nort']", "the labels are: north, south, north; did you mean 'north'?"),
        ("data.to_csv('x.csv')", "a script has no files"),
        ("open('/tmp/x', 'w')", "Nightmail writes and mails the DataFrame that it returns"),
        ("return pd.read_csv('x.csv')", "a script has no files"),
        ("return pd.read_csv('https://example.com/x.csv')", "name the address as the job's data_source"),
        ("import socket\nsocket.create_connection(('example.com', 80))", "a script has no network"),
        ("import subprocess\nsubprocess.run(['ls'])", "starts no processes"),
        ("import sklearn", "packages that are installed beside the runner"),
        ("return dta", "name 'dta' is not defined: did you mean 'data'?"),
        ("total = 1\nreturn totl", "did you mean 'total'?"),
        ("return df", "a script gets data, sources, job_name, scheduled_at, skip, pd, np"),
        ("del data\nreturn data", "name 'data' is not defined: the script has deleted it"),
        ("return data.append(data)", "no append any more: write `pd.concat([data, other])`"),
        ("return data.ix[0]", "no ix any more: write `.loc[...]` for labels"),
        ("return data.amount.iteritems()", "no iteritems any more: write `.items()`"),
        ("input('x')", "nobody is there to answer a script"),
        ("exit()", "it ends with `return` and a DataFrame"),
    ],
)
async def test_an_error_says_what_to_do(sandbox: Sandbox, script: str, says: str) -> None:
    result, _ = await run(sandbox, script)
    assert isinstance(result, Failed)
    assert result.kind == "script"
    assert says in result.message
    assert result.line == 1 + script.count("\n")


async def test_a_key_that_a_dict_of_the_script_lacks_gets_no_hint_about_columns(sandbox: Sandbox) -> None:
    result, _ = await run(sandbox, "names = {}\nreturn names['amout']")
    assert isinstance(result, Failed)
    assert result.message == "'amout'"


async def test_an_error_shows_no_folder_of_the_machine(sandbox: Sandbox) -> None:
    script = (
        "try:\n    from pandas import nothing\nexcept ImportError as error:\n    raise ExceptionGroup('x', [error])"
    )
    result, _ = await run(sandbox, script)
    assert isinstance(result, Failed)
    assert result.traceback is not None
    assert "cannot import name 'nothing' from 'pandas' (pandas/__init__.py)" in result.traceback
    assert sys.prefix not in result.traceback


async def test_scheduled_at_is_in_the_zone_of_the_job(sandbox: Sandbox) -> None:
    task = replace(
        TASK,
        script="return pd.DataFrame({'day': [scheduled_at.date()], 'at': [scheduled_at.isoformat()], 'zone': [scheduled_at.tzname()]})",
        scheduled_at=datetime(2026, 1, 2, 16, 30, tzinfo=UTC),
        timezone="Asia/Tokyo",
    )
    with MemoryFile.of(DATA) as source, MemoryFile("csv") as csv:
        assert isinstance(await sandbox.run(task, source, csv), Succeeded)
        assert csv.read() == b"day,at,zone\n2026-01-03,2026-01-03T01:30:00+09:00,JST\n"


async def test_an_assigned_result_wins_over_a_helper_named_process(sandbox: Sandbox) -> None:
    script = "def process(frame):\n    return frame.tail(1)\nresult = process(data.head(2))"
    assert await csv_of(sandbox, script) == b"region,amount\nsouth,5\n"


async def test_a_traceback_has_the_users_lines_and_none_of_our_frames(sandbox: Sandbox) -> None:
    result, _ = await run(sandbox, "def share(frame):\n    return frame['nothing']\n\nreturn share(data)")
    assert isinstance(result, Failed)
    assert (result.type, result.line) == ("KeyError", 2)
    assert result.traceback is not None
    assert result.traceback.startswith(
        'Traceback (most recent call last):\n  File "<script>", line 4, in <module>\n    return share(data)\n'
    )
    for foreign in ("nightmail", "pandas/", "site-packages"):
        assert foreign not in result.traceback


async def test_the_beginning_and_the_end_of_the_output_are_kept(sandbox: Sandbox) -> None:
    result, _ = await run(
        sandbox, "import sys\nprint('first')\nprint('x' * 500_000)\nprint('last', file=sys.stderr)\nreturn data"
    )
    assert isinstance(result, Succeeded)
    assert result.log.startswith("first\n")
    assert result.log.endswith("\nlast\n")
    assert len(result.log) < 2 * MAX_LOG_PART_BYTES + 100


async def test_no_other_file_exists_for_a_script(sandbox: Sandbox) -> None:
    result, _ = await run(
        sandbox,
        "os = __import__('os')\n"
        "print([path for path in ('/etc/passwd', '/proc/self', '/var/log', '/usr/bin') if os.path.exists(path)])\n"
        "import statistics\nreturn data",
    )
    assert isinstance(result, Succeeded), result
    assert result.log == "[]\n"


@pytest.mark.parametrize(
    "steps",
    ["lockdown.drop_capabilities(); folders = ['/usr']", "namespaces.enter(); folders = ['/usr', '/nowhere']"],
    ids=["not allowed", "fails halfway"],
)
async def test_without_an_empty_root_all_files_stay_where_they_are(steps: str) -> None:
    script = (
        "import os\nfrom nightmail_runner.sandbox.isolation import lockdown, namespaces\n"
        f"{steps}\n"
        "print(lockdown.enter_empty_root(folders), os.path.exists('/proc/self/stat'), os.path.exists('/etc/passwd'))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert output == b"False True True\n"


async def test_the_layers_beyond_the_required_ones_are_tried_out() -> None:
    assert optional_layers() == ["namespaces", "an empty root"]


@pytest.mark.parametrize(
    "script",
    [
        "import random\nreturn pd.DataFrame({'one': [random.random()]})",
        "return pd.DataFrame({'one': [np.random.random()]})",
        "return pd.DataFrame({'one': range(10**6)}).sample()",
    ],
)
async def test_a_run_draws_the_random_numbers_of_its_seed(sandbox: Sandbox, script: str) -> None:
    async def draw(seed: str) -> list[str]:
        with MemoryFile.of(DATA) as source, MemoryFile("csv") as csv:
            assert isinstance(await sandbox.run(replace(TASK, script=script, seed=seed), source, csv), Succeeded)
            return csv.read().decode().splitlines()[1:]

    one, again, other = [await draw(seed) for seed in ("one", "one", "other")]
    assert one == again != other
