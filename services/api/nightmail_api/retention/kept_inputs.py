"""The inputs of runs: finds the one that a user asks for, and removes those that no run needs any more.

A job's last `keep_inputs` runs need their inputs, for `INPUT_RETENTION`. Every replica removes; of two, the broker lets one
delete an object. `nightmail_common.broker.input_store` says why no object is deleted that a runner is about to keep.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import nats.errors
import structlog

from nightmail_api.read_model.database import DatabaseUnavailable
from nightmail_api.read_model.input_queries import input_of_run, objects_in_use
from nightmail_api.read_model.query_executor import QueryExecutor
from nightmail_api.read_model.read_model import NotApplied, ReadModel
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.object_bucket import ObjectEntry
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.contract.envelope import iso_time
from nightmail_common.contract.errors import describe_error

#: An input takes disk for this much longer than a run needs it. One request for each kept object, some 0.2 ms.
SWEEP_SECONDS = 300.0

logger = structlog.get_logger()


@dataclass(frozen=True)
class FoundInput:
    """What a run has read from a source: its row, and the object with its bytes, if they are kept."""

    row: dict[str, Any]
    entry: ObjectEntry | None


class KeptInputs:
    """Finds, reads and removes inputs. Every method raises `nats.errors.Error` if the broker does not answer.

    Args:
        retention: how long a run needs its input at most.
    """

    def __init__(
        self, store: InputStore, log: EventLog, model: ReadModel, read: QueryExecutor, retention: timedelta
    ) -> None:
        self._store = store
        self._log = log
        self._model = model
        self._read = read
        self._retention = retention

    async def find(self, run_id: str, source: str) -> FoundInput | None:
        """Return what a run has read from a source; None if the run does not need it any more, or never had it."""
        row = await self._read(input_of_run, run_id, source)
        if row is None or row["kept_at"] < self._since():
            return None
        name = row["object_name"]
        return FoundInput(row, None if name is None else await self._store.find(name))

    def content(self, entry: ObjectEntry) -> AsyncIterator[bytes]:
        """Yield the bytes of an input."""
        return self._store.read(entry)

    async def remove_unused(self) -> int:
        """Delete the inputs that no run needs, and overwrite their bytes; return how many.

        1. Read the entries of all objects.
        2. Apply the log up to its end: a runner whose event is missing here stores its entry again after step 1.
        3. Delete those that no row needs, unless their entry has changed since step 1.

        Raises:
            NotApplied: the read model is behind; nothing is deleted.
            DatabaseUnavailable: the database does not answer.
        """
        entries = [entry async for entry in self._store.entries()]
        if not entries:
            return 0
        await self._model.until(await self._log.last_sequence())
        in_use = await self._read(objects_in_use, self._since())
        removed = 0
        for entry in entries:
            if entry.name not in in_use and await self._store.remove(entry):
                logger.info("input_removed", sha256=entry.name, bytes=entry.size)
                removed += 1
        return removed

    async def run(self) -> None:
        """Remove for ever what is not needed."""
        while True:
            raise_if_cancelled()
            try:
                await self.remove_unused()
            except (nats.errors.Error, OSError, NotApplied, DatabaseUnavailable) as error:
                logger.warning("inputs_not_removed", error=describe_error(error))
            await asyncio.sleep(SWEEP_SECONDS)

    def _since(self) -> str:
        return iso_time(datetime.now(UTC) - self._retention)
