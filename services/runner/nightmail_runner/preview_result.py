"""The whole result of a dry run that is mailed once, as the event that a run would store; nobody publishes it."""

from collections.abc import Sequence
from typing import Any

from nightmail_common.broker.results import ResultStore
from nightmail_common.contract.events import Note, ResultReady, RunRequested, Timings
from nightmail_common.contract.limits import MAX_SENT_PREVIEW_BYTES
from nightmail_common.contract.result_parts import Runtime
from nightmail_runner.event_size import body_bytes
from nightmail_runner.output_files import store_outputs
from nightmail_runner.sandbox.client import Outputs
from nightmail_runner.sandbox.result import Succeeded

#: An answer has the first rows and the figures beside the event: a larger one refers to its files.
MAX_INLINE_EVENT_BYTES = 256 * 1024


class TooLargeToMail(Exception):
    """The files of a dry run are too large to be mailed once; the text says what to do."""


async def whole_result(
    results: ResultStore,
    request: RunRequested,
    result: Succeeded,
    outputs: Outputs,
    timings: Timings,
    notes: Sequence[Note],
) -> dict[str, Any]:
    """Return a `ResultReady` as JSON. Files beyond what an answer carries are stored as those of a run, and expire as they.

    The result is not split, even if the job asks for that: it goes to one address.

    Raises:
        TooLargeToMail: its files have more than `MAX_SENT_PREVIEW_BYTES`.
        nats.errors.Error: a permanent error of the broker.
    """
    files = outputs._replace(slices=None)
    size = sum(file.size for file in files.files())
    if size > MAX_SENT_PREVIEW_BYTES:
        raise TooLargeToMail(
            f"the mail is not sent: its {size} bytes are more than the {MAX_SENT_PREVIEW_BYTES} of a try; save the job and run it"
        )
    event = ResultReady(
        **request.of_run,
        rows=result.rows,
        columns=result.columns,
        text_columns=result.text_columns,
        log="",
        timings=timings,
        input_sha256="",
        script_sha256="",
        runtime=Runtime(python="", pandas=""),
        notes=tuple(notes),
        **await store_outputs(results, request, result, files, ()),
    )
    if body_bytes(event) > MAX_INLINE_EVENT_BYTES:
        stored = await store_outputs(results, request, result, files, (), inline=False)
        event = event.model_copy(update=stored)
    return event.model_dump(mode="json")
