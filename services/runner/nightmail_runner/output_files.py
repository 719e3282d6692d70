"""The files of a run: what its worker writes to, and how its event carries them."""

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from nightmail_common.broker.results import MAX_INLINE_BYTES, ResultStore
from nightmail_common.contract.blob import ResultFigure, ResultFile
from nightmail_common.contract.events import RunRequested
from nightmail_common.contract.split import SLICES, ResultSlice, SplitResult
from nightmail_runner.sandbox.client import Outputs
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded

#: A usual chart has some 40 KiB. Ten larger ones would not fit an event.
MAX_INLINE_FIGURE_BYTES = 64 * 1024


@contextmanager
def open_outputs(*, xlsx: bool, slices: bool, figures: bool) -> Iterator[Outputs]:
    """Open the files that a run writes to."""
    wanted = {"csv": True, "xlsx": xlsx, "slices": slices, "figures": figures}
    with ExitStack() as files:
        opened = {name: files.enter_context(MemoryFile(name)) for name, is_wanted in wanted.items() if is_wanted}
        yield Outputs(opened["csv"], opened.get("xlsx"), opened.get("slices"), opened.get("figures"))


async def store_outputs(
    results: ResultStore,
    request: RunRequested,
    result: Succeeded,
    outputs: Outputs,
    slices: Sequence[ResultSlice],
    *,
    inline: bool = True,
) -> dict[str, Any]:
    """Return the fields of a `ResultReady` that hold the files of a result, or refer to them in the store.

    Args:
        inline: whether small files are held.

    Raises:
        JobStorageFull: the job has no room for them.
        nats.errors.Error: a permanent error of the broker.
    """
    put = partial(results.put, request.job_name, request.run_id)
    max_file_bytes, max_figure_bytes = (MAX_INLINE_BYTES, MAX_INLINE_FIGURE_BYTES) if inline else (0, 0)
    blobs = []
    for file in (outputs.csv, outputs.xlsx):
        if file is not None:
            with file.reader() as reader:
                blobs.append(await put(reader, max_file_bytes))
    figures = []
    if outputs.figures is not None:
        with outputs.figures.reader() as reader:
            for number, drawn in enumerate(result.figures, 1):
                blob = await put(io.BytesIO(reader.read(drawn.size)), max_figure_bytes)
                name = f"figure-{number}.png"
                figures.append(
                    ResultFigure(name=name, alt=drawn.alt, width=drawn.width, height=drawn.height, blob=blob)
                )
    split = None
    if outputs.slices is not None:
        # Only the mailer needs them: an event that has them would be read with them by everybody.
        index = await put(io.BytesIO(SLICES.dump_json(tuple(slices))), 0)
        with outputs.slices.reader() as reader:
            split = SplitResult(count=len(slices), index=index, files=await put(reader, 0))
    return {
        "split": split,
        "csv": blobs[0],
        "attachments": tuple(ResultFile(format="xlsx", blob=blob) for blob in blobs[1:]),
        "figures": tuple(figures),
    }
