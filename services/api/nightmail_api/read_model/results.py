"""A run's outcome as the log keeps it: the CSV that was mailed, and what the script printed."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from nightmail_api.http.problems import Gone, NotFound, NotReady
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.query_executor import QueryExecutor
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultDamaged, ResultGone, ResultStore
from nightmail_common.contract.blob import Blob
from nightmail_common.contract.events import ResultReady, RunOutcome, RunSkipped
from nightmail_common.contract.split import SLICES, ResultSlice, SplitResult, slice_id


class Results:
    """Reads outcomes by run.

    Any method raises `NotFound` if there is no such run, `Gone` if the outcome or its result is kept no longer (`NotFound`
    where that is said), `NotReady` if the store does not answer in time, and `nats.errors.Error` if the log does not answer.
    """

    def __init__(self, read: QueryExecutor, log: EventLog, store: ResultStore) -> None:
        self._read = read
        self._log = log
        self._store = store

    async def csv(self, run_id: str) -> tuple[int, AsyncIterator[bytes]]:
        """Return the very bytes that were mailed: how many they are, and what yields them.

        Raises:
            NotFound: the run has no result, or its result is kept no longer.
        """
        with _gone_as_not_found():
            csv = (await self.ready(run_id)).csv
            return csv.size, await self._begin(self._store.read(csv), run_id)

    async def ready(self, run_id: str) -> ResultReady:
        """Return the event of a run's result.

        Raises:
            NotFound: the run has no result.
        """
        outcome = await self.outcome(run_id)
        if not isinstance(outcome, ResultReady):
            raise NotFound(f"the run {run_id} has no result")
        return outcome

    async def in_order(self, run_id: str, other_run_id: str) -> tuple[ResultReady, ResultReady]:
        """Return the results of two runs, as `ready` does, first the one that the log had first."""
        sequences = {one: await self.sequence(one) or 0 for one in (run_id, other_run_id)}
        before, after = sorted((run_id, other_run_id), key=sequences.__getitem__)
        return await self.ready(before), await self.ready(after)

    async def bytes_of(self, result: ResultReady) -> bytes:
        """Return the CSV of a result.

        Raises:
            NotFound: the stored bytes are damaged.
        """
        return await self._bytes(result.csv, str(result.run_id))

    async def figure(self, run_id: str, number: int) -> bytes:
        """Return the PNG of a figure, which is counted from 1.

        Raises:
            NotFound: the run has no such figure.
        """
        figures = (await self.ready(run_id)).figures
        if number > len(figures):
            raise NotFound(f"the run {run_id} has {len(figures)} figures")
        return await self._bytes(figures[number - 1].blob, run_id)

    async def slices(self, run_id: str) -> tuple[ResultSlice, ...]:
        """Return the slices of a result; their files are those that `slice_csv` reads.

        Raises:
            NotFound: the result is not split.
        """
        split = await self._split(run_id)
        return SLICES.validate_json(await self._bytes(split.index, run_id))

    async def slice_csv(self, run_id: str, of_slice: str) -> tuple[int, AsyncIterator[bytes]]:
        """Return the CSV of a slice, by its `slice_id`, as `csv` does.

        Raises:
            NotFound: there is no such slice, or the result is kept no longer.
        """
        with _gone_as_not_found():
            found = next((one for one in await self.slices(run_id) if slice_id(one.value) == of_slice), None)
            if found is None:
                raise NotFound(f"the run {run_id} has no such slice")
            csv, files = found.files[0], (await self._split(run_id)).files
            return csv.size, await self._begin(self._store.read(files, csv.offset, csv.size), run_id)

    async def _split(self, run_id: str) -> SplitResult:
        split = (await self.ready(run_id)).split
        if split is None:
            raise NotFound(f"the result of the run {run_id} is not split")
        return split

    async def log(self, run_id: str) -> str:
        """Return what the run's script printed; empty while it has not ended.

        Raises:
            NotFound: the run's log is kept no longer.
        """
        with _gone_as_not_found():
            outcome = await self.outcome(run_id)
        return "" if outcome is None else outcome.log

    async def outcome(self, run_id: str) -> RunOutcome | RunSkipped | None:
        """Return the event that ended a run; None while it has not ended."""
        sequence = await self.sequence(run_id)
        if sequence is None:
            return None
        outcome = await self._log.outcome(sequence)
        if outcome is None:
            raise Gone(f"the result and the log of the run {run_id} are kept no longer")
        return outcome

    async def sequence(self, run_id: str) -> int | None:
        """Return the sequence of the event that ended a run; None while it has not ended."""
        return await self._read(Queries.outcome_sequence, run_id)

    async def _bytes(self, blob: Blob, run_id: str) -> bytes:
        with _store_problems(run_id):
            return await self._store.get(blob)

    async def _begin(self, parts: AsyncIterator[bytes], run_id: str) -> AsyncIterator[bytes]:
        """Return the same parts, of which the first one is read: a result that is gone is a problem, not a broken answer."""
        with _store_problems(run_id):
            first = await anext(parts)

        async def all_parts() -> AsyncIterator[bytes]:
            yield first
            async for part in parts:
                yield part

        return all_parts()


@contextmanager
def _store_problems(run_id: str) -> Iterator[None]:
    try:
        yield
    except ResultGone:
        raise Gone(f"the result of the run {run_id} is kept no longer") from None
    except ResultDamaged:
        raise NotFound(f"the result of the run {run_id} is damaged in the store") from None
    except TimeoutError:
        raise NotReady("the store of results does not answer") from None


@contextmanager
def _gone_as_not_found() -> Iterator[None]:
    """Answer 404 for what is kept no longer, as the routes of the result and the log do since their first version."""
    try:
        yield
    except Gone as gone:
        raise NotFound(gone.detail) from None
