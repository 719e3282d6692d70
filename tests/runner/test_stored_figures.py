"""The figures of a run in its event and in the store."""

from collections.abc import Callable

from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.contract.events import ResultReady
from nightmail_runner.sandbox.figure_check import png_size
from support.runner_process import Request, RunnerProcess, outcome_of

StartRunner = Callable[..., RunnerProcess]


async def test_the_event_of_a_run_holds_small_figures_and_refers_to_large_ones(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner().ready()
    script = """
import matplotlib.pyplot as plt
data.plot.bar(x="region", title="Sales \U00013000")
plt.figure()
plt.imshow(np.random.rand(150, 150, 3), interpolation="none")
return data
"""
    event = await outcome_of(event_log, await request_run(processing_script=script))

    assert isinstance(event, ResultReady), event
    small, large = event.figures
    assert (small.name, small.blob.bucket, large.name, large.blob.data) == ("figure-1.png", None, "figure-2.png", None)
    for figure in event.figures:
        data = await ResultStore(nats_client.jetstream()).get(figure.blob)
        assert png_size(data) == (figure.width, figure.height)
    assert [note.stage for note in event.notes] == ["output"]
    assert event.notes[0].text.startswith("figure 1 shows boxes")
