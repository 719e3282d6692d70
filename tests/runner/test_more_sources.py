"""A job with several sources: all are fetched and read, each by its own options, and errors and notes name the source."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nightmail_cli.commands.job_file import job_to_yaml
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.events import InputKept, ResultReady, RunFailed
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.fetch_all import Fetched
from nightmail_runner.sources.input import ByteBudget, Input
from support.deadlines import eventually
from support.http_source import Source
from support.job_requests import job_request
from support.runner_process import Request, RunnerProcess, events_of, outcome_of

StartRunner = Callable[..., RunnerProcess]

NAMES = b"region;name\nnorth;Nord\nsouth;S\xfcd\n"
JOIN = "return data.merge(sources['names'], on='region')[['name', 'amount']]"


def named(source: Source, body: bytes = NAMES, **options: Any) -> dict[str, Any]:
    return {"source_type": "api", "location": source.url("/names"), "file_type": "csv"} | options


@pytest.fixture
def names(source: Source) -> dict[str, Any]:
    source.answers["/names"] = [(200, {}, NAMES)]
    return named(source, encoding="latin-1")


async def test_a_script_joins_sources_that_are_read_by_their_own_options(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, data_dir: Path, names: dict[str, Any]
) -> None:
    await start_runner().ready()
    request = await request_run(processing_script=JOIN, more_sources={"names": names})
    outcome = await outcome_of(event_log, request)
    assert isinstance(outcome, ResultReady), outcome
    assert outcome.csv.data is not None
    assert outcome.csv.data.decode().splitlines()[0] == "name,amount"
    assert "Süd" in outcome.csv.data.decode()
    sales = (data_dir / "files" / "sales.csv").read_bytes()
    digest = hashlib.sha256(NAMES).hexdigest()
    assert (outcome.input_sha256, outcome.more_inputs_sha256) == (hashlib.sha256(sales).hexdigest(), {"names": digest})

    async def kept() -> dict[str, str] | None:
        events = [readable(stored, "test") for stored in await events_of(event_log, request)]
        found = {event.source: event.sha256 for event in events if isinstance(event, InputKept)}
        return found if len(found) == 2 else None

    assert await eventually(kept, "both inputs are kept") == {"data": outcome.input_sha256, "names": digest}


async def test_sources_has_every_table_and_data_is_the_first(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, names: dict[str, Any]
) -> None:
    await start_runner().ready()
    script = "return pd.DataFrame({'name': list(sources), 'same': [sources[name] is data for name in sources]})"
    for more, expected in (({}, "data,True"), ({"b": names, "a": names}, "data,True|b,False|a,False")):
        outcome = await outcome_of(event_log, await request_run(processing_script=script, more_sources=more))
        assert isinstance(outcome, ResultReady), outcome
        assert outcome.csv.data is not None
        assert "|".join(outcome.csv.data.decode().splitlines()[1:]) == expected


async def test_errors_and_notes_name_the_source(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, source: Source
) -> None:
    await start_runner(max_input_bytes="1000").ready()
    source.answers["/names"] = [(404, {}, b"gone")]
    failed = await outcome_of(
        event_log, await request_run(processing_script=JOIN, more_sources={"names": named(source)})
    )
    assert isinstance(failed, RunFailed)
    assert failed.error.stage == "fetch"
    assert failed.error.message.startswith("source 'names': the source answered 404")
    source.answers["/names"] = [(200, {}, b"region;name\nnorth;a;b\n")]
    failed = await outcome_of(
        event_log, await request_run(processing_script=JOIN, more_sources={"names": named(source)})
    )
    assert isinstance(failed, RunFailed)
    assert failed.error.stage == "parse"
    assert failed.error.message.startswith("source 'names': ")
    source.answers["/names"] = [(200, {}, b"region,name\nnorth,Nord,\n")]
    ready = await outcome_of(
        event_log, await request_run(processing_script=JOIN, more_sources={"names": named(source)})
    )
    assert isinstance(ready, ResultReady), ready
    assert [note.text.partition(":")[0] for note in ready.notes] == ["source 'names'"]
    source.answers["/names"] = [(200, {}, b"region\n" + b"north\n" * 165)]
    failed = await outcome_of(
        event_log, await request_run(processing_script=JOIN, more_sources={"names": named(source)})
    )
    assert isinstance(failed, RunFailed)
    assert "1000 bytes of NIGHTMAIL_MAX_INPUT_BYTES, of which the other sources take " in failed.error.message


async def test_the_sources_of_a_run_are_fetched_four_at_a_time(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, source: Source
) -> None:
    barrier = asyncio.Barrier(4)
    for number in range(8):
        source.answers[f"/{number}"] = [(200, {}, f"n\n{number}\n".encode())]
        source.together[f"/{number}"] = barrier
    await start_runner().ready()
    apis = [named(source) | {"location": source.url(f"/{number}")} for number in range(8)]
    request = await request_run(
        data_source=apis[0],
        more_sources={str(number): apis[number] for number in range(1, 8)},
        processing_script="return pd.concat(sources.values(), keys=sources, names=['source']).reset_index('source')",
    )
    outcome = await outcome_of(event_log, request)
    assert isinstance(outcome, ResultReady), outcome
    assert outcome.csv.data is not None
    assert outcome.csv.data.decode().split() == [
        "source,n",
        "data,0",
        *(f"{number},{number}" for number in range(1, 8)),
    ]
    assert {path for path, _ in source.requests[:4]} == {"/0", "/1", "/2", "/3"}


def test_what_a_fetch_discards_is_free_for_the_other_sources() -> None:
    budget = ByteBudget(10)
    one, other = Input(budget), Input(budget)
    with one.file, other.file:
        one.write(b"12345678")
        with pytest.raises(CannotFetch, match="of which the other sources take 8"):
            other.write(b"123")
        write = one.begin()
        other.write(b"12345")
        write(b"12345")
        with pytest.raises(CannotFetch, match="of which the other sources take 5"):
            write(b"6")


def test_a_source_that_is_not_valid_is_named_by_its_path() -> None:
    source = job_request()["data_source"]
    for more, field in (
        ({"data": source}, ("more_sources", "data", "[key]")),
        ({" a": source}, ("more_sources", " a", "[key]")),
        ({"a" * 65: source}, ("more_sources", "a" * 65, "[key]")),
        ({"a": source | {"locaton": "x"}}, ("more_sources", "a", "locaton")),
        ({"a": source | {"location": "/etc/passwd"}}, ("more_sources", "a", "location")),
        ({str(number): source for number in range(9)}, ("more_sources",)),
    ):
        with pytest.raises(ValueError, match="1 validation error") as refused:
            JobDefinition.model_validate(job_request(more_sources=more))
        assert refused.value.errors()[0]["loc"] == field  # type: ignore[attr-defined]


async def test_a_source_that_does_not_exist_is_an_error_that_names_those_that_do(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, names: dict[str, Any]
) -> None:
    await start_runner().ready()
    request = await request_run(processing_script="print(1)\nreturn sources['nmaes']", more_sources={"names": names})
    failed = await outcome_of(event_log, request)
    assert isinstance(failed, RunFailed)
    assert "there is no source 'nmaes'; the sources of this job are 'data', 'names'" in failed.error.message
    assert failed.error.line == 2


async def test_an_error_of_any_length_names_its_source(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, source: Source
) -> None:
    column = "x" * 20_000
    source.answers["/names"] = [(200, {}, f"{column}\nabc\n".encode())]
    await start_runner().ready()
    long_name = named(source, types={column: "integer"})
    failed = await outcome_of(event_log, await request_run(processing_script=JOIN, more_sources={"names": long_name}))
    assert isinstance(failed, RunFailed)
    assert (failed.error.stage, failed.error.message[:17]) == ("parse", "source 'names': l")


def test_the_notes_of_all_sources_together_fit_an_event() -> None:
    inputs = {name: Input(ByteBudget(1)) for name in ("data", "a" * 64, "b")}
    for data in inputs.values():
        data.file.close()
        for number in range(6):
            data.add_note(f"{number} {'x' * 600}")
    notes = Fetched(inputs).notes
    assert len(notes) == 10
    assert {len(note.text) for note in notes} == {500}


def test_the_sources_of_a_job_come_back_from_yaml_as_they_were() -> None:
    more = {f"s-{number}": job_request()["data_source"] | {"delimiter": ";"} for number in range(8)}
    job = JobDefinition.model_validate(job_request(more_sources=more))
    assert list(job.sources) == ["data", *more]
    assert yaml.safe_load(job_to_yaml(job.model_dump(mode="json")))["more_sources"] == more
