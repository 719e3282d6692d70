"""What a run has of the last delivered result: `previous`, `compare_by` and `when_unchanged`."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pandas as pd
import pytest
from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import RESULTS
from nightmail_common.contract.events import MailKind, MailSent, Note, ResultReady, RunFailed, RunRequested, RunSkipped
from nightmail_common.contract.job import Job
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.parsing.parse_input import parse_input
from nightmail_runner.sandbox.child.csv_output import prepare_for_csv, write
from support.runner_process import RunnerProcess, outcome_of

Outcome = ResultReady | RunFailed | RunSkipped
Run = Callable[[Job], Awaitable[Outcome]]
DUE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
async def run(start_runner: Callable[..., RunnerProcess], event_log: EventLog) -> Run:
    """Return a function that runs a job and returns the outcome."""
    await start_runner().ready()

    async def request(job: Job) -> Outcome:
        event = RunRequested(job_name=job.job_name, run_id=uuid4(), job=job, trigger="manual", scheduled_at=DUE)
        await event_log.publish(event, message_id=str(event.run_id))
        return await outcome_of(event_log, event)

    return request


async def mailed(log: EventLog, outcome: Outcome, kind: MailKind = "result") -> None:
    """Publish that a mail of a run was sent."""
    sent = MailSent(job_name=outcome.job_name, run_id=outcome.run_id, kind=kind, message_id="<1@test>", recipients=())
    await log.publish(sent)


def with_data(data_dir: Path, text: str) -> None:
    (data_dir / "files" / "sales.csv").write_text(text)


def with_script(job: Job, script: str, **fields: Any) -> Job:
    return job.model_copy(update={"processing_script": script} | fields)


def csv_of(outcome: Outcome) -> str:
    assert isinstance(outcome, ResultReady), outcome
    assert outcome.csv.data is not None
    return outcome.csv.data.decode()


SHOW = """
if previous is None:
    return pd.DataFrame({"was": ["nothing"]})
return pd.DataFrame({"was": [f"{len(previous)} {previous.columns[0]} {str(previous.iloc[0, 0])[:5]} {previous.dtypes.iloc[0]}"]})
"""


async def test_previous_is_the_last_delivered_result_with_the_types_of_its_own_values(
    run: Run, event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    job = make_job(csv={"delimiter": ";", "decimal": ",", "bom": True})
    show = with_script(job, SHOW)
    assert csv_of(await run(show)) == "\ufeffwas\nnothing\n"
    half = await run(with_script(job, "return pd.DataFrame({'half': [1.5, 2.5]})"))
    assert csv_of(await run(show)) == "\ufeffwas\nnothing\n"  # it is not mailed yet
    await mailed(event_log, half)
    assert csv_of(await run(show)) == "\ufeffwas\n2 half 1.5 float64\n"
    code = await run(with_script(job, "return pd.DataFrame({'code': ['007']})"))
    await mailed(event_log, code)
    await mailed(event_log, half)  # on request, once more: the other one is the last result nevertheless
    assert csv_of(await run(show)) == "\ufeffwas\n1 code 007 str\n"


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (["failed"], []),  # what a service says when it fails
        (["%PDF-"], [["x"]]),
        (["<br>"], []),
        (["a", "b"], [["x\0y", 1]]),
        (["---", "b"], [["--", "---"]]),
        (["a"], [["x"], ["\x1a"]]),
        (["a", ""], [["---+---", "Total"]]),
        (["Report", "", ""], [["a", 1, 2]]),
    ],
)
def test_previous_is_read_whatever_its_columns_and_texts_look_like(columns: list[str], rows: list[list[Any]]) -> None:
    """A report of failures had a column `failed` and no rows: each later run failed to read it."""
    frame = pd.DataFrame(rows, columns=columns)
    output = io.BytesIO()
    write(prepare_for_csv(frame, keep_formulas=True), output)
    options = ReadOptions("csv", delimiter=",", encoding="utf-8-sig", own=True)
    found = parse_input(memoryview(output.getvalue()), options).frame
    assert found.to_numpy().tolist() == rows
    assert next(iter(found)) == columns[0]


async def test_a_failure_mail_and_a_result_that_reached_nobody_are_passed_over(
    run: Run, event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    job = make_job()
    delivered = await run(with_script(job, "return pd.DataFrame({'a': [1, 2, 3]})"))
    await mailed(event_log, delivered)
    await run(with_script(job, "return pd.DataFrame({'a': [4]})"))
    failed = await run(with_script(job, "1 / 0"))
    await mailed(event_log, failed, "failure")
    assert csv_of(await run(with_script(job, SHOW))) == "was\n3 a 1 int64\n"


async def test_a_deleted_job_of_the_same_name_has_no_part_in_it(
    run: Run, event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    deleted = make_job()
    await mailed(event_log, await run(deleted))
    assert csv_of(await run(with_script(make_job(), SHOW))) == "was\nnothing\n"


async def test_a_result_that_is_kept_no_longer_is_a_note(
    run: Run, event_log: EventLog, make_job: Callable[..., Job], nats_client: Client
) -> None:
    job = make_job(compare_by=("was",))
    large = await run(with_script(job, "return pd.DataFrame({'a': ['x' * 300_000], 'was': ['y']})"))
    await mailed(event_log, large)
    assert "1 a xxx" in csv_of(await run(with_script(job, SHOW)))
    assert isinstance(large, ResultReady)
    await (await nats_client.jetstream().object_store(RESULTS)).delete(large.csv.object_name or "")
    outcome = await run(with_script(job, SHOW))
    assert csv_of(outcome) == "was\nnothing\n"
    assert isinstance(outcome, ResultReady)
    text = f"of the last delivered result, the run {large.run_id}: the result is kept no longer"
    assert outcome.notes == (Note(stage="output", text=text),)
    assert outcome.changes is None


async def test_a_result_is_compared_with_the_last_delivered_one_by_key_columns(
    run: Run, event_log: EventLog, make_job: Callable[..., Job], data_dir: Path
) -> None:
    job = make_job(compare_by=("region", "product"))
    with_data(data_dir, "region,product,amount\nnorth,tea,1\nsouth,tea,2\nwest,tea,3\n")
    script = "return data"
    first = await run(with_script(job, script))
    assert isinstance(first, ResultReady)
    assert (first.changes, first.notes) == (None, ())
    await mailed(event_log, first)
    with_data(data_dir, "region,product,amount,currency\neast,tea,9,EUR\nnorth,tea,1,EUR\nwest,tea,4,EUR\n")
    second = await run(with_script(job, script))
    assert isinstance(second, ResultReady)
    assert second.changes is not None
    assert second.changes.model_dump(mode="json") == {
        "run_id": str(first.run_id),
        "since": "2026-11-23T08:00:00Z",
        "added": 1,
        "removed": 1,
        "changed": 1,
        "unchanged": 1,
        "marks": ["new", "", "changed"],
    }
    assert second.notes == (Note(stage="output", text="new columns since the last delivered result: currency"),)


async def test_a_result_that_does_not_fit_compare_by_fails_on_the_first_run(
    run: Run, make_job: Callable[..., Job]
) -> None:
    cases = {
        "return data.drop(columns='region')": "the column 'region' of the result does not exist; there are amount",
        "return data": "two rows of the result have the same key: region = 'north'",
    }
    for script, said in cases.items():
        failed = await run(with_script(make_job(compare_by=("region",)), script))
        assert isinstance(failed, RunFailed)
        assert (failed.error.stage, failed.error.message) == ("output", f"compare_by: {said}")


async def test_an_earlier_result_that_does_not_fit_compare_by_is_a_note(
    run: Run, event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    job = make_job()
    await mailed(event_log, await run(with_script(job, "return data.rename(columns={'region': 'area'}).head(2)")))
    outcome = await run(with_script(job, "return data.head(2)", compare_by=("region",)))
    assert isinstance(outcome, ResultReady)
    assert outcome.changes is None
    [note] = outcome.notes
    assert note.text == (
        "nothing is compared: the column 'region' of the last delivered result does not exist; there are area, amount"
    )


@pytest.mark.parametrize(
    ("compare_by", "reordered_is_unchanged"), [((), False), (("region",), True)], ids=["bytes", "key"]
)
async def test_an_unchanged_result_ends_as_skipped_if_its_job_says_so(
    run: Run,
    event_log: EventLog,
    make_job: Callable[..., Job],
    compare_by: tuple[str, ...],
    reordered_is_unchanged: bool,
) -> None:
    script = "print('looked')\nreturn data.head(2)"
    job = make_job(when_unchanged="skip", compare_by=compare_by, timezone="Asia/Tokyo")
    for _ in range(2):  # the first one has nothing to compare with, and the second one was not delivered
        first = await run(with_script(job, script))
        assert isinstance(first, ResultReady)
    await mailed(event_log, first)
    same = await run(with_script(job, script))
    assert isinstance(same, RunSkipped)
    assert (same.reason, same.log, same.job_version) == ("unchanged", "looked\n", job.version)
    assert (
        same.detail
        == f"the result is that of 2026-11-23 17:00 (the run {first.run_id}), the last one that was delivered"
    )
    reordered = await run(with_script(job, "return data.head(2)[::-1]"))
    assert isinstance(reordered, RunSkipped) == reordered_is_unchanged
    assert isinstance(await run(with_script(job, "return data.head(2).assign(new=1)")), ResultReady)
    assert isinstance(await run(with_script(job, "return data.head(1)")), ResultReady)


async def test_runs_at_once_find_the_same_earlier_result(
    run: Run, event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    job = make_job()
    await mailed(event_log, await run(with_script(job, "return pd.DataFrame({'a': [1, 2, 3]})")))
    outcomes = await asyncio.gather(*(run(with_script(job, SHOW)) for _ in range(5)))
    assert {csv_of(outcome) for outcome in outcomes} == {"was\n3 a 1 int64\n"}
    assert len({outcome.run_id for outcome in outcomes if isinstance(outcome.run_id, UUID)}) == 5
