"""The files of a run: what its worker writes to, and how its event carries them."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from nightmail_common.broker.results import MAX_INLINE_BYTES, ResultStore
from nightmail_common.contract.blob import ResultFigure, ResultFile
from nightmail_common.contract.events import RunRequested
from nightmail_runner.sandbox.client import Outputs
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded

#: A usual chart has some 40 KiB. Ten larger ones would not fit an event.
MAX_INLINE_FIGURE_BYTES = 64 * 1024


@contextmanager
def open_outputs(*, xlsx: bool, figures: bool) -> Iterator[Outputs]:
    """Open the files that a run writes to."""
    with MemoryFile("csv") as csv, MemoryFile("xlsx") as workbook, MemoryFile("figures") as pictures:
        yield Outputs(csv, workbook if xlsx else None, pictures if figures else None)


async def store_outputs(
    results: ResultStore, request: RunRequested, result: Succeeded, outputs: Outputs, *, inline: bool = True
) -> dict[str, Any]:
    """Return the fields of a `ResultReady` that hold the files of a result, or refer to them in the store.

    Args:
        inline: whether small files are held.

    Raises:
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
    return {
        "csv": blobs[0],
        "attachments": tuple(ResultFile(format="xlsx", blob=blob) for blob in blobs[1:]),
        "figures": tuple(figures),
    }
