"""What a run has read is kept: its bytes once, an event for each run, and no harm to the run."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from nats.aio.client import Client

from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.events import InputKept, ResultReady, RunFailed, RunRequested, RunSkipped
from support.deadlines import eventually
from support.http_source import Source
from support.runner_process import Request, RunnerProcess, events_of, outcome_of

StartRunner = Callable[..., RunnerProcess]


async def kept_of(log: EventLog, request: RunRequested) -> InputKept:
    async def find() -> InputKept | None:
        events = [readable(stored, "test") for stored in await events_of(log, request)]
        return next((event for event in events if isinstance(event, InputKept)), None)

    kept: InputKept = await eventually(find, "the input is kept")
    return kept


async def stored_bytes(client: Client, kept: InputKept) -> bytes:
    store = InputStore(client.jetstream())
    entry = await store.find(kept.object_name or "")
    assert entry is not None
    return b"".join([piece async for piece in store.read(entry)])


async def test_every_run_that_read_something_keeps_it_and_the_same_bytes_once(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client, data_dir: Path
) -> None:
    data = (data_dir / "files" / "sales.csv").read_bytes()
    await start_runner().ready()
    scripts = {
        "return data": ResultReady,
        "1 / 0": RunFailed,
        "skip('nothing today')": RunSkipped,
        "return data.tail(1)": ResultReady,
    }
    for script, outcome in scripts.items():
        request = await request_run(processing_script=script, keep_inputs=3)
        assert isinstance(await outcome_of(event_log, request), outcome)
        kept = await kept_of(event_log, request)
        assert kept == InputKept(
            job_name=request.job_name,
            run_id=request.run_id,
            source="data",
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            object_name=hashlib.sha256(data).hexdigest(),
            file_type="csv",
            keep_inputs=3,
        )
        assert await stored_bytes(nats_client, kept) == data
    state = (await nats_client.jetstream().stream_info("OBJ_INPUTS")).state
    assert state.messages == 2, "one piece and one entry"


async def test_the_event_has_the_charset_that_the_source_declared(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client, source: Source
) -> None:
    data = "name\nJürgen\n".encode("latin-1")
    await start_runner().ready()
    for declared, charset in (("iso-8859-1", "iso-8859-1"), ("utf-8\"'<>", None)):
        source.answers["/names"] = [(200, {"content-type": f"text/csv; charset={declared}"}, data)]
        api = {"source_type": "api", "location": source.url("/names"), "file_type": "csv"}
        request = await request_run(processing_script="return data", data_source=api)
        kept = await kept_of(event_log, request)
        assert kept.charset == charset
        assert await stored_bytes(nats_client, kept) == data


async def test_a_job_may_keep_no_inputs(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner().ready()
    none = await request_run(processing_script="return data", keep_inputs=0)
    await outcome_of(event_log, none)
    some = await request_run(processing_script="return data", job_name="some")
    await kept_of(event_log, some)
    assert "input-kept" not in [stored.name for stored in await events_of(event_log, none)]


async def test_an_input_that_is_too_large_is_not_kept_and_its_event_says_so(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner(max_kept_input_bytes="10").ready()
    request = await request_run(processing_script="return data")
    assert isinstance(await outcome_of(event_log, request), ResultReady)
    kept = await kept_of(event_log, request)
    assert (kept.object_name, kept.size > 10) == (None, True)
    assert (await nats_client.jetstream().stream_info("OBJ_INPUTS")).state.messages == 0


async def test_a_run_ends_as_usual_if_its_input_cannot_be_kept(
    start_runner: StartRunner,
    request_run: Request,
    event_log: EventLog,
    nats_client: Client,
    capfd: pytest.CaptureFixture[str],
) -> None:
    await start_runner().ready()
    await nats_client.jetstream().delete_stream("OBJ_INPUTS")
    for _ in range(3):
        request = await request_run(processing_script="return data")
        assert isinstance(await outcome_of(event_log, request), ResultReady)
        assert "input-kept" not in [stored.name for stored in await events_of(event_log, request)]
    output = ""

    def logged() -> bool:
        nonlocal output
        output += "".join(capfd.readouterr())
        return "input_not_kept" in output

    await eventually(logged, "the runner has logged it")
