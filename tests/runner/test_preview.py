"""Dry runs over NATS: the first rows or the error, and no event."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.csv_head import read_head
from nightmail_common.contract.limits import MAX_RUNNER_PREVIEWS, MAX_WAITING_PREVIEWS
from nightmail_common.contract.subjects import PREVIEW_ID
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
    assert good["text_columns"] == [0]
    assert good["first_rows"] == [["north", "10"], ["south", "5"]]
    assert good["timings"]["script_ms"] > 0
    assert (bad["error"]["type"], bad["error"]["line"]) == ("AttributeError", 2)
    assert (skipped["skipped"], skipped["log"]) == ("nothing new", "hello\n")
    assert invalid["error"]["type"] == "InvalidJob"
    assert "consumer_emails" in invalid["error"]["message"]
    assert await event_log.last_sequence() == 0


LARGE_RESULTS = [
    ("return pd.DataFrame({'a': ['x' * 200_000]})", "x" * 999 + "…", False),
    ("return pd.DataFrame({f'c{n}': ['y' * 2000] * 20 for n in range(600)})", "y" * 199 + "…", True),
    ("return pd.DataFrame({f'c{n}': ['\\U0001f600' * 900] * 20 for n in range(300)})", None, True),
    ("return pd.DataFrame({f'c{n}': [n] * 20 for n in range(5_000)})", "0", False),
]


async def test_a_preview_of_a_large_result_is_shortened_to_fit_an_answer(
    start_runner: Callable[..., RunnerProcess], nats_client: Client
) -> None:
    await start_runner().ready()
    for script, value, shortened in LARGE_RESULTS:
        answer = await preview(nats_client, processing_script=script)
        assert answer.get("error") is None, script
        assert len(answer["columns"]) == len(answer["first_rows"][0]), script
        assert value is None or answer["first_rows"][0][0] == value, script
        assert any("too large" in note["text"] for note in answer["notes"]) == shortened, (script, answer["notes"])


async def test_a_preview_has_the_figures_that_fit_an_answer(
    start_runner: Callable[..., RunnerProcess], nats_client: Client
) -> None:
    await start_runner().ready()
    script = """
import matplotlib.pyplot as plt
data.plot.bar(x="region", title="Sales")
for size in (6, 6, 6):
    plt.figure(figsize=(size, size))
    plt.imshow(np.random.rand(150, 150, 3), interpolation="none")
return data
"""
    answer = await preview(nats_client, processing_script=script)
    assert answer.get("error") is None, answer
    first, *others = answer["figures"]
    assert base64.b64decode(first["png"]).startswith(b"\x89PNG")
    assert (first["alt"], first["width"] > 1000) == ("Bar chart: Sales. Horizontal axis: region. Series: amount.", True)
    dropped = [number for number, figure in enumerate(others, 2) if figure["png"] is None]
    assert len(dropped) > 0
    assert [note["text"] for note in answer["notes"]] == [
        f"figure {number} is too large for a preview; the mail shows it" for number in dropped
    ]


async def test_a_preview_that_fails_with_any_text_says_so(
    start_runner: Callable[..., RunnerProcess], nats_client: Client
) -> None:
    await start_runner().ready()
    for text in ("\x00", "'\\n' * 10_000_000", "'\U0001f600' * 1_000_000", "'\\ud800' * 100_000"):
        answer = await preview(nats_client, processing_script=f"print({text!r} * 100_000)\nraise ValueError({text})")
        assert answer["error"]["type"] in {"ValueError", "InvalidJob"}, text


def test_the_first_rows_of_a_csv_are_read_whatever_it_holds() -> None:
    assert read_head(b"a,b\n\xff,1\n", 8, 20) == [["a", "b"], ["\ufffd", "1"]]
    assert read_head(b"a\n" + b"x" * (1 << 20), (1 << 20) + 3, 20) == [["a"]]
    assert read_head(b"a\n1\n2\n", 100, 20) == [["a"], ["1"]]
    assert read_head(b"", 0, 20) == []
    assert read_head(b"a\n" + b"x" * 900_000 + b"\n", 900_003, 20)[1] == ["x" * 900_000]


async def test_previews_run_several_at_a_time_and_a_cancelled_one_makes_room(
    start_runner: Callable[..., RunnerProcess], nats_client: Client
) -> None:
    await start_runner().ready()
    body = json.dumps(job_request(processing_script="while True: pass")).encode()
    for number in range(MAX_RUNNER_PREVIEWS):
        await nats_client.publish("preview.run", body, reply="nobody", headers={PREVIEW_ID: f"slow-{number}"})
    waiting = asyncio.create_task(preview(nats_client, processing_script="return data.head(1)"))
    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    assert not done
    await nats_client.publish("preview.cancel", b"slow-1")
    assert (await waiting)["rows"] == 1
    assert (await preview(nats_client, processing_script="return data.head(2)"))["rows"] == 2


async def test_a_runner_with_too_many_previews_says_so_at_once(
    start_runner: Callable[..., RunnerProcess], nats_client: Client
) -> None:
    runner = start_runner()
    await runner.ready()
    body = json.dumps(job_request(processing_script="while True: pass")).encode()
    replies = await nats_client.subscribe(inbox := nats_client.new_inbox())
    for _ in range(MAX_RUNNER_PREVIEWS + MAX_WAITING_PREVIEWS):
        await nats_client.publish("preview.run", body, reply=inbox)
    assert (await preview(nats_client))["error"]["type"] == "RunnerBusy"
    runner.stop()
    for _ in range(MAX_RUNNER_PREVIEWS + MAX_WAITING_PREVIEWS):
        answer = json.loads((await replies.next_msg(timeout=scaled(5))).data)
        assert answer["error"]["type"] == "RunnerStopped"
