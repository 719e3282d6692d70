"""The inputs of runs: finds the one that a user asks for, and removes those that no run needs any more.

A job's last `keep_inputs` runs need their inputs, for `INPUT_RETENTION`. Every replica removes; of two, the broker lets one
delete an object. `nightmail_common.broker.input_store` says why no object is deleted that a runner is about to keep.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import nats.errors
import structlog

from nightmail_api.http.problems import Gone, NotFound
from nightmail_api.read_model.database import DatabaseUnavailable
from nightmail_api.read_model.input_queries import inputs_of_run, objects_in_use, source_names
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.query_executor import QueryExecutor
from nightmail_api.read_model.read_model import NotApplied, ReadModel
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.object_bucket import ObjectEntry
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.contract.envelope import iso_time
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.kept_input import InputType

#: An input takes disk for this much longer than a run needs it. One request for each kept object, some 0.2 ms.
SWEEP_SECONDS = 300.0

logger = structlog.get_logger()


#: A runner keeps an input behind the run's outcome: who asks in between waits, and so long at most.
APPEARS_SECONDS = 2.0
_APPEARS_AFTER = timedelta(seconds=10)
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class StoredInput:
    """What a run has read from a source, and the object with its bytes."""

    file_type: InputType
    charset: str | None
    entry: ObjectEntry


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

    async def get(self, run_id: str, source: str) -> StoredInput:
        """Return what a run has read from a source.

        Raises:
            NotFound: there is no such run, it has no such source, or it has not ended.
            Gone: the input is kept no longer, or was not kept.
        """
        row = await self._row(run_id, source)
        if row is None or row["kept_at"] < self._since():
            raise Gone(
                f"the input of the run {run_id} is kept no longer, or never was:"
                " a job keeps those of its last `keep_inputs` runs, for NIGHTMAIL_INPUT_RETENTION at most"
            )
        if (name := row["object_name"]) is None:
            raise Gone(f"the input has {row['size']} bytes, more than NIGHTMAIL_MAX_KEPT_INPUT_BYTES, and was not kept")
        entry = await self._store.find(name)
        if entry is None:
            raise Gone(f"the input of the run {run_id} is kept no longer")
        return StoredInput(row["file_type"], row["charset"], entry)

    async def of_run(self, run_id: str) -> list[dict[str, Any]]:
        """Return what a run has read, as far as the log still has it: source, type, size, digest, and whether it is kept."""
        rows = await self._read(inputs_of_run, run_id)
        since = self._since()
        return [
            {
                "source": source,
                "file_type": row["file_type"],
                "bytes": row["size"],
                "sha256": row["sha256"],
                "kept": row["object_name"] is not None and row["kept_at"] >= since,
            }
            for source, row in rows.items()
        ]

    async def _row(self, run_id: str, source: str) -> dict[str, Any] | None:
        """Return the row of an input, for which a run that has just ended is given time; None if there is none."""
        give_up = time.monotonic() + APPEARS_SECONDS
        while True:
            run = await self._read(Queries.run, run_id)
            if run is None:
                raise NotFound(f"there is no run {run_id}")
            rows = await self._read(inputs_of_run, run_id)
            if source in rows:
                return rows[source]
            if source not in (names := await self._read(source_names, run_id)):
                raise NotFound(f"the run has no source {source!r}; it has {', '.join(map(repr, names))}")
            if run["finished_at"] is None:
                raise NotFound(f"the run {run_id} has not ended; its input is kept then")
            since_end = datetime.now(UTC) - datetime.fromisoformat(run["finished_at"])
            if since_end > _APPEARS_AFTER or time.monotonic() > give_up:
                return None
            await asyncio.sleep(_POLL_SECONDS)

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
