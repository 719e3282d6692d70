"""Dry runs over NATS: the first rows or the error, and no event."""

import json
from collections.abc import Callable
from typing import Any

from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from support.deadlines import scaled
from support.job_requests import job_request
from support.runner_process import RunnerProcess


async def preview(client: Client, **fields: Any) -> dict[str, Any]:
    answer = await client.request("preview.run", json.dumps(job_request(**fields)).encode(), timeout=scaled(20))
    preview: dict[str, Any] = json.loads(answer.data)
    return preview


async def test_a_preview_answers_with_rows_or_with_the_error_and_leaves_no_event(
    start_runner: Callable[..., RunnerProcess], nats_client: Client, event_log: EventLog
) -> None:
    await start_runner().ready()

    good = await preview(nats_client, processing_script="print('hello')\nreturn data.head(2)")
    bad = await preview(nats_client, processing_script="x = 1\nreturn data.nothing")
    skipped = await preview(nats_client, processing_script="print('hello')\nskip('nothing new')")
    invalid = await preview(nats_client, consumer_emails=[])

    assert (good["columns"], good["rows"], good["log"]) == (["region", "amount"], 2, "hello\n")
    assert good["first_rows"] == [["north", "10"], ["south", "5"]]
    assert good["timings"]["script_ms"] > 0
    assert (bad["error"]["type"], bad["error"]["line"]) == ("AttributeError", 2)
    assert (skipped["skipped"], skipped["log"]) == ("nothing new", "hello\n")
    assert invalid["error"]["type"] == "InvalidJob"
    assert "consumer_emails" in invalid["error"]["message"]
    assert await event_log.last_sequence() == 0
