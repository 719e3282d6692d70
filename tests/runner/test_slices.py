"""A result that is split by a column: its slices, their recipients, and what fails before anything is mailed."""

import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.contract.events import ResultReady, RunFailed, RunRequested, RunSkipped
from nightmail_common.contract.job import Job
from nightmail_common.contract.split import SLICES, ResultSlice
from support.runner_process import RunnerProcess, outcome_of

Outcome = ResultReady | RunFailed | RunSkipped
Run = Callable[..., Awaitable[Outcome]]

SALES = """region,amount,manager,share
north,1,ann@example.com,0.5
"süd, west",2,bob@Example.com,
north,3,ann@example.com,0.25
north,4,Carl@example.com,1
"""
BY_NAME = {
    "north": ["ann@example.com"],
    "süd, west": ["bob@example.com", "carl@example.com"],
    "east": ["d@example.com"],
}


@pytest.fixture
async def run(
    start_runner: Callable[..., RunnerProcess], event_log: EventLog, make_job: Callable[..., Job], data_dir: Path
) -> Run:
    """Return a function that runs a job with these fields on this data, and returns the outcome."""
    runner = start_runner()
    await runner.ready()

    async def request(data: str = SALES, script: str = "return data", **fields: Any) -> Outcome:
        (data_dir / "files" / "sales.csv").write_text(data)
        job = make_job(processing_script=script, **{"split_by": "region"} | fields)
        event = RunRequested(
            job_name=job.job_name, run_id=uuid4(), job=job, trigger="manual", scheduled_at=datetime.now(UTC)
        )
        await event_log.publish(event, message_id=str(event.run_id))
        return await outcome_of(event_log, event)

    return request


async def slices_of(client: Client, outcome: Outcome) -> tuple[tuple[ResultSlice, ...], bytes]:
    assert isinstance(outcome, ResultReady), outcome
    assert outcome.split is not None
    store = ResultStore(client.jetstream())
    slices = SLICES.validate_json(await store.get(outcome.split.index))
    assert outcome.split.count == len(slices)
    return slices, await store.get(outcome.split.files)


def file_of(one: ResultSlice, files: bytes, format_: str = "csv") -> bytes:
    [found] = [each for each in one.files if each.format == format_]
    return files[found.offset : found.offset + found.size]


@pytest.mark.parametrize(
    ("recipients_by", "expected"),
    [
        (BY_NAME, [("ann@example.com",), ("bob@example.com", "carl@example.com")]),
        ("manager", [("ann@example.com", "Carl@example.com"), ("bob@example.com",)]),
    ],
    ids=["names", "column"],
)
async def test_each_value_has_a_slice_with_its_rows_recipients_and_files(
    run: Run, nats_client: Client, recipients_by: Any, expected: list[tuple[str, ...]]
) -> None:
    outcome = await run(
        recipients_by=recipients_by, attachments=["csv", "xlsx"], csv={"delimiter": ";", "decimal": ","}
    )
    slices, files = await slices_of(nats_client, outcome)
    assert [(one.value, one.rows) for one in slices] == [("north", 3), ("süd, west", 1)]
    assert [one.recipients for one in slices] == expected
    assert file_of(slices[0], files).decode() == (
        "region;amount;manager;share\n"
        "north;1;ann@example.com;0,5\n"
        "north;3;ann@example.com;0,25\n"
        "north;4;Carl@example.com;1,0\n"
    )
    assert file_of(slices[1], files).decode() == "region;amount;manager;share\nsüd, west;2;bob@Example.com;\n"
    sheet = openpyxl.load_workbook(io.BytesIO(file_of(slices[1], files, "xlsx"))).active
    assert sheet is not None
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["region", "amount", "manager", "share"],
        ["süd, west", 2, "bob@Example.com", None],
    ]
    assert isinstance(outcome, ResultReady)
    assert outcome.rows == 4
    assert b"north;1;" in (outcome.csv.data or b"")  # the whole result is kept with the run


async def test_values_are_the_texts_of_the_csv(run: Run, nats_client: Client) -> None:
    cases = {
        "[1, 2, 1]": ["1", "2"],
        "[1.5, 2.0, 2.0]": ["1.5", "2.0"],
        "pd.to_datetime(['2026-01-02'] * 3)": ["2026-01-02"],
        "pd.Categorical(['a', 'b', 'a'], ['b', 'a', 'unused'])": ["a", "b"],
        "['=1+1'] * 3": ["=1+1"],  # the CSV has a quote in front of it, for spreadsheets
    }
    for values, expected in cases.items():
        to = {value: ["a@example.com"] for value in expected}
        outcome = await run(script=f"return pd.DataFrame({{'region': {values}}})", recipients_by=to)
        slices, files = await slices_of(nats_client, outcome)
        assert [one.value for one in slices] == expected
        assert sum(one.rows for one in slices) == 3
        assert file_of(slices[0], files).startswith(b"region\n")


NOT_MAILED: list[tuple[str, dict[str, Any], str]] = [
    (
        SALES + "west,1,,\neast,1,,\n",
        {"recipients_by": BY_NAME},
        "recipients_by has no recipients for 'west' of the column 'region'",
    ),
    (
        SALES + "west,1,,\n",
        {"recipients_by": "manager"},
        "the column 'manager' of recipients_by has no value in 1 of 5 rows",
    ),
    (
        SALES + "west,1,nobody,\n",
        {"recipients_by": "manager"},
        "the column 'manager': 'nobody' is not an e-mail address: An email address must have an @-sign. (for 'west')",
    ),
    (
        "region,manager\n" + "".join(f"r{number},a@example.com\n" for number in range(1001)),
        {"recipients_by": "manager"},
        "the result has 1,001 values to split it by; at most 1,000 are allowed",
    ),
    (
        SALES + ",1,ann@example.com,\n",
        {"recipients_by": "manager"},
        "the column 'region' of split_by has no value in 1 of 5 rows",
    ),
    (
        SALES,
        {"recipients_by": "owner"},
        "recipients_by names the column 'owner', which the result does not have; it has region, amount, manager",
    ),
    (
        SALES,
        {"split_by": "regoin", "recipients_by": "manager"},
        "split_by names the column 'regoin', which the result does not have; it has region, amount, manager",
    ),
    (
        "region,manager\n" + "".join(f"north,a{number}@example.com\n" for number in range(101)),
        {"recipients_by": "manager"},
        "'north' has 101 recipients; a slice has at most 100",
    ),
    (
        "region,manager\n" + "".join(f"r{number % 900},a{number}@example.com\n" for number in range(2001)),
        {"recipients_by": "manager"},
        "the slices have 2,001 recipients together; at most 2,000 are allowed",
    ),
    (
        "region,manager\n" + "x" * 201 + ",a@example.com\n",
        {"recipients_by": "manager"},
        "the column 'region' of split_by has a value of 201 characters; at most 200 are allowed",
    ),
]


async def test_what_cannot_be_mailed_fails_the_run_before_anything_is(run: Run) -> None:
    for data, fields, said in NOT_MAILED:
        failed = await run(data, **fields)
        assert isinstance(failed, RunFailed), said
        assert (failed.error.stage, failed.error.message[: len(said)]) == ("output", said)


async def test_a_result_without_rows_has_no_slices(run: Run, nats_client: Client) -> None:
    outcome = await run("region,manager\n", recipients_by="manager")
    assert (await slices_of(nats_client, outcome))[0] == ()


async def test_a_split_at_its_ceilings_is_stored(run: Run, nats_client: Client) -> None:
    rows = "".join(f"{'x' * 190}{number // 2},{number},a{number}@{'e' * 60}.example.com\n" for number in range(2000))
    slices, files = await slices_of(nats_client, await run("region,amount,manager\n" + rows, recipients_by="manager"))
    assert [len(one.recipients) for one in slices] == [2] * 1000
    assert file_of(slices[999], files).endswith(b"999,1999,a1999@" + b"e" * 60 + b".example.com\n")


async def test_a_script_that_writes_slices_itself_mails_nothing(run: Run) -> None:
    """The script can write to every file of its process, and end it before the worker writes the slices."""
    script = """
import json, os, socket, struct
answer = json.dumps({'rows': 4, 'columns': ['region'], 'slice_index_bytes': 0}).encode()
for number in range(3, 64):
    try:
        found = socket.socket(fileno=number)
        found.setblocking(True)
        found.sendall(struct.pack('>I', len(answer)) + answer)
    except OSError:
        pass
return data
"""
    failed = await run(script=script, recipients_by=BY_NAME)
    assert isinstance(failed, RunFailed)
