"""A runner process turns a request in the log into an outcome in the log."""

import io
from collections.abc import Callable

import httpx
import openpyxl
from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.contract.events import ResultReady, RunFailed, RunSkipped, RunStarted
from support.plain_http import NO_AUTHORITIES
from support.runner_process import Request, RunnerProcess, events_of, outcome_of


async def test_a_request_becomes_started_and_then_a_result_with_its_csv(
    start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog
) -> None:
    runner = start_runner()
    await runner.ready()
    request = await request_run()

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, ResultReady)
    assert outcome.csv.data == b"region,amount\nnorth,17\nsouth,5\n"
    assert (outcome.rows, outcome.columns) == (2, ("region", "amount"))
    async with httpx.AsyncClient(verify=NO_AUTHORITIES) as client:
        metrics = (await client.get(f"http://127.0.0.1:{runner.health_port}/metrics")).text
    for line in (
        'nightmail_runner_sandbox_outcomes_total{outcome="succeeded"} 1.0',
        'nightmail_runner_run_seconds_count{stage="script"} 1.0',
        "nightmail_runner_slots_busy 0.0",
        "nightmail_runner_queue_waiting",
    ):
        assert line in metrics
    assert [stored.name for stored in await events_of(event_log, request)][:3] == [
        "run-requested",
        RunStarted.name,
        ResultReady.name,
    ]


async def test_a_script_that_raises_ends_as_run_failed_with_its_own_line(
    start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog
) -> None:
    await start_runner().ready()
    request = await request_run(processing_script="print('before')\nreturn data.nothing")

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, RunFailed)
    assert (outcome.error.stage, outcome.error.type, outcome.error.line) == ("script", "AttributeError", 2)
    assert outcome.log == "before\n"


async def test_a_script_that_skips_its_run_ends_as_run_skipped_and_is_not_retried(
    start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog
) -> None:
    await start_runner().ready()
    request = await request_run(processing_script="print('looked')\nskip('nothing new')", retries=3)

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, RunSkipped)
    assert (outcome.reason, outcome.detail, outcome.log) == ("script", "nothing new", "looked\n")
    assert (outcome.job_id, outcome.job_version) == (request.job.job_id, request.job.version)
    assert [stored.name for stored in await events_of(event_log, request)][:3] == [
        "run-requested",
        RunStarted.name,
        RunSkipped.name,
    ]


async def test_a_job_that_attaches_xlsx_has_it_beside_its_csv(
    start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog
) -> None:
    await start_runner().ready()
    csv = {"delimiter": ";", "decimal": ",", "bom": True}
    request = await request_run(
        processing_script="return data.head(1).assign(share=0.5)", attachments=["csv", "xlsx"], csv=csv
    )

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, ResultReady)
    assert outcome.csv.data == "\ufeffregion;amount;share\nnorth;10;0,5\n".encode()
    [attachment] = outcome.attachments
    assert attachment.format == "xlsx"
    assert attachment.blob.data is not None
    sheet = openpyxl.load_workbook(io.BytesIO(attachment.blob.data)).worksheets[0]
    assert list(sheet.iter_rows(values_only=True)) == [("region", "amount", "share"), ("north", 10, 0.5)]


async def test_results_too_large_for_an_event_are_all_in_the_store(
    start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner().ready()
    request = await request_run(
        processing_script="return pd.DataFrame({'x': np.random.random(100_000)})", attachments=["xlsx"]
    )

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, ResultReady)
    [attachment] = outcome.attachments
    assert (outcome.csv.data, attachment.blob.data) == (None, None)
    xlsx = await ResultStore(nats_client.jetstream()).get(attachment.blob)
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx), read_only=True).worksheets[0]
    assert sheet.max_row == 100_001


async def test_a_missing_file_ends_as_run_failed_at_fetch(
    start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog
) -> None:
    await start_runner().ready()
    request = await request_run(data_source={"source_type": "file", "location": "no.csv", "file_type": "csv"})

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, RunFailed)
    assert outcome.error.stage == "fetch"


async def test_an_import_that_is_not_allowed_is_reported_with_its_line(
    start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog
) -> None:
    await start_runner().ready()
    request = await request_run(processing_script="import math, statistics\nimport subprocess\nreturn data")

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, RunFailed)
    assert (outcome.error.stage, outcome.error.type, outcome.error.line) == ("script", "ImportNotAllowed", 2)
    assert "'subprocess'" in outcome.error.message
