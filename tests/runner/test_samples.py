"""Samples: a preview on the input of an earlier one fetches nothing, and says when it cannot."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.sample_store import SampleStore
from nightmail_common.contract.limits import MAX_SAMPLE_BYTES, SAMPLE_SECONDS
from support.deadlines import scaled
from support.http_source import Source
from support.job_requests import job_request
from support.runner_process import RunnerProcess

StartRunner = Callable[..., RunnerProcess]


async def preview(client: Client, headers: dict[str, str], **fields: Any) -> dict[str, Any]:
    body = json.dumps(job_request(**{"processing_script": "return data"} | fields)).encode()
    answer = await client.request("preview.run", body, timeout=scaled(20), headers=headers)
    preview: dict[str, Any] = json.loads(answer.data)
    return preview


async def keep(client: Client, name: str, **fields: Any) -> dict[str, Any]:
    return await preview(client, {"Nightmail-Keep-As": name}, **fields)


async def use(client: Client, name: str, **fields: Any) -> dict[str, Any]:
    return await preview(client, {"Nightmail-Sample": name}, **fields)


async def test_a_preview_on_a_sample_asks_no_source(
    start_runner: StartRunner, nats_client: Client, source: Source
) -> None:
    source.answers["/a"] = [(200, {"content-type": "text/csv; charset=latin-1"}, b"name\nJ\xfcrgen\n")]
    source.answers["/b"] = [(200, {}, b"n;m\n1;2\n")]
    first = {"source_type": "api", "location": source.url("/a"), "file_type": "csv"}
    other = {"source_type": "api", "location": source.url("/b"), "file_type": "csv"}
    await start_runner().ready()
    script = "print(sources['b'].shape)\nreturn data"
    fetched = await keep(nats_client, "one", data_source=first, more_sources={"b": other}, processing_script=script)
    assert (fetched["sample_kept"], fetched["first_rows"], fetched["log"]) == (True, [["Jürgen"]], "(1, 2)\n")
    assert [path for path, _ in source.requests] == ["/a", "/b"]

    script = "print(list(sources['b']))\nreturn data"
    changed = other | {"delimiter": ","}
    again = await use(nats_client, "one", data_source=first, more_sources={"b": changed}, processing_script=script)
    assert (again["sample_kept"], again["first_rows"], again["log"]) == (False, [["Jürgen"]], "['n;m']\n")
    assert "nothing was fetched" in again["notes"][0]["text"]
    assert [path for path, _ in source.requests] == ["/a", "/b"]

    elsewhere = first | {"location": source.url("/c")}
    for fields, named in (
        ({"data_source": elsewhere, "more_sources": {"b": other}}, "data_source"),
        ({"data_source": first | {"headers": {"X-A": "1"}}, "more_sources": {"b": other}}, "data_source"),
        ({"data_source": first}, "source 'b'"),
    ):
        refused = await use(nats_client, "one", **fields)
        assert (refused["error"]["stage"], refused["error"]["type"]) == ("fetch", "SampleOfOtherSource")
        assert named in refused["error"]["message"]
    gone = await use(nats_client, "none", data_source=first)
    assert (gone["error"]["stage"], gone["error"]["type"]) == ("fetch", "SampleGone")
    assert [path for path, _ in source.requests] == ["/a", "/b"]


async def test_the_input_of_a_script_that_fails_is_a_sample(start_runner: StartRunner, nats_client: Client) -> None:
    await start_runner().ready()
    failed = await keep(nats_client, "one", processing_script="return data.nothing")
    assert (failed["error"]["type"], failed["sample_kept"]) == ("AttributeError", True)
    assert (await use(nats_client, "one"))["rows"] == 3


@pytest.mark.parametrize(("size", "kept"), [(MAX_SAMPLE_BYTES, True), (MAX_SAMPLE_BYTES + 1, False)])
async def test_a_larger_input_is_no_sample_and_a_note_says_so(
    start_runner: StartRunner, nats_client: Client, source: Source, size: int, kept: bool
) -> None:
    source.answers["/"] = [(200, {}, b"a\n" + b"x" * (size - 2))]
    await start_runner().ready()
    fields = {"data_source": {"source_type": "api", "location": source.url("/"), "file_type": "csv"}}
    script = "return data.a.str.len().to_frame()"
    answer = await keep(nats_client, "one", processing_script=script, **fields)
    assert (answer["first_rows"], answer["sample_kept"]) == ([[str(size - 2)]], kept)
    assert any("not kept as a sample" in note["text"] for note in answer["notes"]) != kept
    again = await use(nats_client, "one", processing_script=script, **fields)
    assert again.get("first_rows") == ([[str(size - 2)]] if kept else None)


async def test_data_that_repeats_a_secret_is_no_sample(
    start_runner: StartRunner, nats_client: Client, source: Source
) -> None:
    source.answers["/"] = [(200, {}, b"a\nBearer " + b"TOP-SECRET-1".hex().encode() + b"\n"), (200, {}, b"a\n1\n")]
    await start_runner(secret_crm="TOP-SECRET-1", secret_crm_hosts="127.0.0.1").ready()
    headers = {"X-Key": "{{ secrets.CRM }}"}
    fields = {"source_type": "api", "location": source.url("/"), "file_type": "csv", "headers": headers}
    repeated = await keep(nats_client, "one", data_source=fields)
    assert (repeated["rows"], repeated["sample_kept"]) == (1, False)
    assert "secret" in repeated["notes"][-1]["text"]
    assert (await keep(nats_client, "two", data_source=fields))["sample_kept"] is True


async def test_samples_expire_and_can_be_removed(
    start_runner: StartRunner, nats_client: Client, event_log: EventLog
) -> None:
    js = nats_client.jetstream()
    await start_runner().ready()
    await keep(nats_client, "one")
    config = (await js.stream_info("OBJ_SAMPLES")).config
    assert config.max_age == SAMPLE_SECONDS
    store = SampleStore(js)
    await store.remove("one")
    await store.remove("one")
    assert (await js.stream_info("OBJ_SAMPLES")).state.messages == 0
    assert (await use(nats_client, "one"))["error"]["type"] == "SampleGone"

    await keep(nats_client, "two")
    await js.purge_stream("OBJ_SAMPLES", subject="$O.SAMPLES.C.>")  # as when the hour ends between both
    assert (await use(nats_client, "two"))["error"]["type"] == "SampleGone"
    assert await event_log.last_sequence() == 0
