"""Keeps what a run has read: the bytes in the bucket `INPUTS`, and an event `input-kept` for each source.

A run's result does not wait for it, and does not fail with it: an input that cannot be kept is logged and counted.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Self

import structlog

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.input_store import InputsFull, InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.object_bucket import ObjectChanged
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import InputKept, RunRequested
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.kept_input import InputType
from nightmail_runner import metrics
from nightmail_runner.sources.input import Input

#: The longest time to store one input; then the runner does without it.
KEEP_SECONDS = 10.0
#: The name of a charset (RFC 2978, section 2.3). A source can send any text in its place.
_CHARSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,39}")
_PIECE_BYTES = 128 * 1024
_NOT_KEPT: tuple[type[Exception], ...] = (TimeoutError, InputsFull, ObjectChanged, *BROKER_ERRORS)

logger = structlog.get_logger()


@dataclass(frozen=True)
class RunInput:
    """What a run has read from a source. Its file may be closed before."""

    source: str
    file_type: InputType
    data: Input
    size: int
    sha256: str

    @property
    def charset(self) -> str | None:
        declared = self.data.charset
        return declared if declared is not None and _CHARSET.fullmatch(declared) else None


class RunInputs:
    """The inputs of a run; its end closes them.

    Args:
        max_kept_bytes: a larger one is closed as soon as the script has ended; -1 for all.
    """

    def __init__(self, max_kept_bytes: int = -1) -> None:
        self._max_kept_bytes = max_kept_bytes
        self.all: list[RunInput] = []

    def add(self, name: str, source: DataSource, data: Input) -> None:
        self.all.append(RunInput(name, source.file_type or "arrow", data, data.file.size, data.sha256()))

    @property
    def keeps(self) -> bool:
        """Whether inputs are kept at all."""
        return self._max_kept_bytes >= 0

    def is_kept(self, one: RunInput) -> bool:
        return one.size <= self._max_kept_bytes

    def close_others(self) -> None:
        """Close those that are not kept: the result of a run may take as much memory as its input."""
        for one in self.all:
            if not self.is_kept(one):
                one.data.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self.all:
            one.data.file.close()


class InputKeeper:
    """Keeps the inputs of runs, as their jobs say.

    Args:
        max_bytes: a larger input is not kept, and its event says so.
    """

    def __init__(self, store: InputStore, log: EventLog, max_bytes: int) -> None:
        self._store = store
        self._log = log
        self._max_bytes = max_bytes

    def inputs_of(self, request: RunRequested) -> RunInputs:
        """Return the inputs of a run, which has none yet."""
        return RunInputs(self._max_bytes if request.job.keep_inputs else -1)

    async def keep(self, request: RunRequested, inputs: RunInputs) -> None:
        """Keep the inputs of a run whose outcome is in the log."""
        if request.job.keep_inputs:
            for one in inputs.all:
                metrics.INPUTS.labels(await self._keep(request, one, inputs.is_kept(one))).inc()

    async def _keep(self, request: RunRequested, one: RunInput, is_kept: bool) -> metrics.KeptAs:
        event = InputKept(
            job_name=request.job_name,
            run_id=request.run_id,
            source=one.source,
            size=one.size,
            sha256=one.sha256,
            object_name=one.sha256 if is_kept else None,
            file_type=one.file_type,
            charset=one.charset,
            keep_inputs=request.job.keep_inputs,
            validators=one.data.validators,
        )
        publish = partial(self._publish, event)
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                if not is_kept:
                    await retry_forever(publish, "publish_input")
                    return "too_large"
                keep = partial(self._store.keep, one.sha256, partial(_pieces, one), publish)
                return "stored" if await retry_forever(keep, "keep_input") else "shared"
        except _NOT_KEPT as error:
            logger.warning("input_not_kept", source=one.source, bytes=one.size, error=describe_error(error))
            return "failed"

    async def _publish(self, event: InputKept) -> None:
        await self._log.publish(event, message_id=run_message_id(event.run_id, event.name, event.source))


async def _pieces(one: RunInput) -> AsyncIterator[bytes]:
    """Yield the bytes of an input. Other readers of its file keep their place."""
    with one.data.file.view() as view:
        for start in range(0, one.size, _PIECE_BYTES):
            yield bytes(view[start : start + _PIECE_BYTES])
