"""What differs between the results of two runs, computed in a process with limits of CPU time and memory."""

import asyncio
from typing import Any

from nightmail_api.http.problems import NotReady, TooLarge, ValidationProblem
from nightmail_api.read_model.results import Results
from nightmail_common.contract.events import ResultReady
from nightmail_common.contract.limits import MAX_COMPARED_BYTES, MAX_DIFF_CPU_SECONDS, MAX_DIFFS, MAX_TOKEN_DIFFS
from nightmail_common.service.fair_slots import FairSlots
from nightmail_common.service.limited_process import ProcessFailed, compute

#: Wall time for a process that may use `MAX_DIFF_CPU_SECONDS` of CPU, with the time until it may begin.
DEADLINE_SECONDS = 100.0


class ResultDiffs:
    """Compares results."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._processes = FairSlots(MAX_DIFFS, MAX_TOKEN_DIFFS)

    async def diff(self, run_id: str, other_run_id: str, key: list[str], caller: str) -> dict[str, Any]:
        """Return what differs, from the run that ended first to the other, in whichever order they are named.

        Args:
            key: the columns that identify a row; empty for none.

        Raises:
            NotFound, Gone: a run or its result does not exist.
            TooLarge: a result has too many rows or bytes.
            ValidationProblem: the results cannot be compared by this key.
            NotReady: the processes are busy, or the store does not answer.
            nats.errors.Error: the log does not answer.
        """
        before, after = await self._results.in_order(run_id, other_run_id)
        for result in (before, after):
            if result.csv.size > MAX_COMPARED_BYTES:
                raise TooLarge(
                    f"the result of the run {result.run_id} has {result.csv.size} bytes;"
                    f" at most {MAX_COMPARED_BYTES} are compared"
                )
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), self._processes.hold(caller):
                found = await self._compare(before, after, key)
        except TimeoutError:
            raise NotReady("too many results are being compared", retry_after_seconds=5) from None
        if (problem := found.get("cannot_compare")) is not None:
            raise ValidationProblem(("key", problem))
        if (problem := found.get("too_large")) is not None:
            raise TooLarge(problem)
        return _answer(before, after, key, found)

    async def _compare(self, before: ResultReady, after: ResultReady, key: list[str]) -> dict[str, Any]:
        data = [await self._results.bytes_of(result) for result in (before, after)]
        results = [
            {"delimiter": result.job.csv.delimiter, "name": f"the run {result.run_id}"} for result in (before, after)
        ]
        try:
            return await compute("nightmail_api.read_model.diff_process", {"key": key, "results": results}, data)
        except ProcessFailed:
            raise TooLarge(
                f"the comparison failed: it takes more than {MAX_DIFF_CPU_SECONDS} seconds, or too much memory"
            ) from None


def _answer(before: ResultReady, after: ResultReady, key: list[str], found: dict[str, Any]) -> dict[str, Any]:
    return {
        "before": str(before.run_id),
        "after": str(after.run_id),
        "key": key,
        "columns": {
            "before": found["columns"][0],
            "after": found["columns"][1],
            "added": _counted(found["columns_added"]),
            "removed": _counted(found["columns_removed"]),
        },
        "rows": {
            "added": {"count": found["added"], "items": found["added_rows"]},
            "removed": {"count": found["removed"], "items": found["removed_rows"]},
            "changed": {"count": found["changed"], "items": found["changed_rows"]},
            "unchanged": found["unchanged"],
        },
    }


def _counted(names: list[str]) -> dict[str, Any]:
    return {"count": len(names), "items": names}
