"""Conditional requests: an API that has not changed sends no body, and the run reads the bytes of the run before."""

from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from typing import Any

import pytest
from nats.aio.client import Client
from starlette.types import Receive, Scope, Send

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.events import InputKept, ResultReady, RunFailed, RunRequested
from nightmail_common.contract.job import DataSource, Job
from nightmail_common.service.http_server import serve_http
from nightmail_runner.sources.conditional import may_be_conditional
from support.deadlines import eventually
from support.runner_process import Request, RunnerProcess, events_of, outcome_of

StartRunner = Callable[..., RunnerProcess]

OLD, NEW = b"name\nJ\xfcrgen\n", b"name\nAnn\n"


class Document:
    """An HTTP server with one document. It counts the bodies that it sends, and notes the conditions that it is asked with."""

    def __init__(self) -> None:
        self.port = 0
        self.body = OLD
        self.validators = {"etag": '"1"'}
        self.bodies = 0
        self.conditions: list[dict[str, str]] = []
        #: Answers 304 to everything.
        self.is_broken = False

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        asked = {name.decode(): value.decode() for name, value in scope["headers"] if name.startswith(b"if-")}
        self.conditions.append(asked)
        same = {"if-none-match": self.validators.get("etag"), "if-modified-since": self.validators.get("last-modified")}
        if self.is_broken or (asked and all(same[name] == value for name, value in asked.items())):
            await send({"type": "http.response.start", "status": 304, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        self.bodies += 1
        headers = {"content-type": "text/csv; charset=latin-1"} | self.validators
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": self.body})

    def source(self, **fields: Any) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/names"
        return {"source_type": "api", "location": url, "file_type": "csv"} | fields


@pytest.fixture
async def document() -> AsyncIterator[Document]:
    document = Document()
    async with serve_http(document, "127.0.0.1", 0) as port:
        document.port = port
        yield document


@pytest.fixture
def run(event_log: EventLog, make_job: Callable[..., Job], request_run: Request) -> Callable[..., Any]:
    """Return a function that runs one job, in which a test may change fields, and waits until its inputs are kept."""
    first = make_job()

    async def run(**fields: Any) -> ResultReady | RunFailed:
        changed = make_job(**{"processing_script": "return data"} | fields)
        job = changed.model_copy(update={"job_id": first.job_id})
        request = RunRequested(
            job_name=job.job_name,
            run_id=changed.job_id,  # another one each time
            job=job,
            trigger="manual",
            scheduled_at=job.created_at,
        )
        await event_log.publish(request, message_id=str(request.run_id))
        outcome = await outcome_of(event_log, request)
        assert isinstance(outcome, ResultReady | RunFailed)
        if isinstance(outcome, ResultReady) and job.keep_inputs:
            await eventually(lambda: kept_of(event_log, request, len(job.sources)), "the inputs are kept")
        return outcome

    return run


async def kept_of(log: EventLog, request: RunRequested, count: int) -> list[InputKept] | None:
    events = [readable(stored, "test") for stored in await events_of(log, request)]
    kept = [event for event in events if isinstance(event, InputKept)]
    return kept if len(kept) == count else None


def text_of(outcome: ResultReady | RunFailed) -> str:
    assert isinstance(outcome, ResultReady), outcome
    assert outcome.csv.data is not None
    return outcome.csv.data.decode()


async def test_an_unchanged_source_sends_no_body_and_a_changed_one_does(
    start_runner: StartRunner, run: Callable[..., Any], document: Document
) -> None:
    await start_runner().ready()
    source = document.source()
    first = await run(data_source=source)
    second = await run(data_source=source)
    third = await run(data_source=source)
    assert document.bodies == 1
    assert document.conditions == [{}, {"if-none-match": '"1"'}, {"if-none-match": '"1"'}]
    assert text_of(first) == text_of(second) == text_of(third) == "name\nJürgen\n"
    assert first.input_sha256 == second.input_sha256 == third.input_sha256
    assert first.notes == ()
    for unchanged in (second, third):
        [note] = unchanged.notes
        assert (note.stage, note.text[:34]) == ("fetch", "the source has not changed since 2")
    assert second.notes == third.notes, "the time is that of the last body"
    document.body, document.validators = NEW, {"etag": 'W/"2"'}
    changed = await run(data_source=source)
    assert (text_of(changed), changed.notes, document.bodies) == ("name\nAnn\n", (), 2)
    assert (await run(data_source=source)).notes
    assert document.bodies == 2


async def test_a_date_of_the_last_change_is_enough_unless_it_is_of_this_second(
    start_runner: StartRunner, run: Callable[..., Any], document: Document
) -> None:
    await start_runner().ready()
    document.validators = {"last-modified": formatdate(0, usegmt=True)}
    for _ in range(2):
        assert text_of(await run(data_source=document.source())) == "name\nJürgen\n"
    assert document.conditions == [{}, {"if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT"}]
    assert document.bodies == 1
    document.validators = {"last-modified": formatdate(4e9, usegmt=True)}
    for _ in range(2):
        await run(data_source=document.source())
    assert (document.conditions[-1], document.bodies) == ({}, 3)


async def test_another_request_and_a_job_that_keeps_nothing_fetch_the_whole_source(
    start_runner: StartRunner, run: Callable[..., Any], document: Document
) -> None:
    await start_runner().ready()
    await run(data_source=document.source())
    await run(data_source=document.source(params={"day": "1"}))
    await run(data_source=document.source(headers={"X-Key": "1"}))
    await run(data_source=document.source(headers={"X-Key": "1"}), keep_inputs=0)
    await run(data_source=document.source(headers={"X-Key": "1", "If-None-Match": '"0"'}))
    assert document.conditions[:-1] == [{}] * 4
    assert document.bodies == 5


async def test_bytes_that_are_kept_no_longer_are_fetched_again(
    start_runner: StartRunner, run: Callable[..., Any], document: Document, nats_client: Client
) -> None:
    await start_runner().ready()
    js = nats_client.jetstream()

    async def has_stored(messages: int) -> bool:
        return (await js.stream_info("OBJ_INPUTS")).state.last_seq == messages

    # The piece and the entry, and after the event the entry again, which would bring back what is purged before.
    await run(data_source=document.source())
    await eventually(lambda: has_stored(3), "the input is stored")
    await js.purge_stream("OBJ_INPUTS")
    again = await run(data_source=document.source())
    assert (text_of(again), again.notes, document.bodies) == ("name\nJürgen\n", (), 2)
    await eventually(lambda: has_stored(6), "the input is stored again")
    # The entry is there, and the bytes are not.
    await js.purge_stream("OBJ_INPUTS", subject="$O.INPUTS.C.>")
    again = await run(data_source=document.source())
    assert (text_of(again), again.notes, document.bodies) == ("name\nJürgen\n", (), 3)
    assert document.conditions == [{}, {}, {"if-none-match": '"1"'}, {}]


async def test_each_source_of_a_job_is_asked_for_its_own_changes(
    start_runner: StartRunner, run: Callable[..., Any], document: Document
) -> None:
    await start_runner().ready()
    more = {"names": document.source(params={"a": 1}), "others": document.source(params={"a": 2})}
    script = "return pd.concat(sources.values())"
    first = await run(data_source=document.source(), more_sources=more, processing_script=script)
    second = await run(data_source=document.source(), more_sources=more, processing_script=script)
    assert text_of(first) == text_of(second)
    assert document.bodies == 3
    assert [note.text.partition(" has not")[0] for note in second.notes] == [
        "the source",
        "source 'names': the source",
        "source 'others': the source",
    ]


async def test_304_without_a_condition_is_an_error(
    start_runner: StartRunner, run: Callable[..., Any], document: Document
) -> None:
    await start_runner().ready()
    document.is_broken = True
    failed = await run(data_source=document.source())
    assert isinstance(failed, RunFailed)
    assert failed.error.message == "the source answered 304 Not Modified"


@pytest.mark.parametrize(
    ("fields", "may"),
    [
        ({}, True),
        ({"headers": {"Accept": "text/csv"}, "params": {"a": 1}}, True),
        ({"method": "POST"}, False),
        ({"pagination": {"type": "link"}}, False),
        ({"headers": {"If-Modified-Since": "x"}}, False),
        ({"headers": {"Range": "bytes=0-9"}}, False),
        ({"source_type": "file", "location": "a.csv"}, False),
    ],
)
def test_only_a_get_whose_answer_is_the_whole_data_is_conditional(fields: dict[str, Any], may: bool) -> None:
    source = {"source_type": "api", "location": "https://example.com", "file_type": "csv"} | fields
    assert may_be_conditional(DataSource.model_validate(source)) is may
