"""Pages of a result's rows."""

import asyncio
from typing import Any

from nightmail_api.http.field_errors import unknown_name
from nightmail_api.http.problems import NotReady, TooLarge, ValidationProblem
from nightmail_api.read_model.results import Results
from nightmail_api.read_model.rows_process import read_rows
from nightmail_common.contract.limits import (
    MAX_COMPARED_BYTES,
    MAX_DIFF_CPU_SECONDS,
    MAX_ROWS_READERS,
    MAX_TOKEN_ROWS_READERS,
)
from nightmail_common.service.fair_slots import FairSlots
from nightmail_common.service.limited_process import ProcessFailed, compute

#: A smaller CSV is read in a thread within some 10 ms; to start a process takes 150 ms.
THREAD_BYTES = 128 * 1024
DEADLINE_SECONDS = 100.0


class ResultRows:
    """Reads rows of results."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._readers = FairSlots(MAX_ROWS_READERS, MAX_TOKEN_ROWS_READERS)

    async def page(
        self, run_id: str, caller: str, *, offset: int, limit: int, sort: str | None, as_texts: bool = False
    ) -> dict[str, Any]:
        """Return a page of rows, the columns with their types, and the number of all rows.

        Raises:
            NotFound, Gone: the run or its result does not exist.
            TooLarge: the result has too many bytes.
            ValidationProblem: there is no column of the name in `sort`.
            NotReady: too many results are being read, or the store does not answer.
            nats.errors.Error: the log does not answer.
        """
        result = await self._results.ready(run_id)
        if result.csv.size > MAX_COMPARED_BYTES:
            raise TooLarge(
                f"the result has {result.csv.size} bytes; rows of at most {MAX_COMPARED_BYTES} are read: download it"
            )
        csv = result.job.csv
        request = {"delimiter": csv.delimiter, "decimal": csv.decimal, "offset": offset, "limit": limit, "sort": sort}
        request |= {"as_texts": as_texts, "text_columns": result.text_columns or ()}
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), self._readers.hold(caller):
                data = await self._results.bytes_of(result)
                if len(data) <= THREAD_BYTES:
                    page = await asyncio.to_thread(read_rows, request, data)
                else:
                    page = await compute("nightmail_api.read_model.rows_process", request, [data])
        except TimeoutError:
            raise NotReady("too many results are being read", retry_after_seconds=5) from None
        except ProcessFailed:
            raise TooLarge(
                f"the rows cannot be read: it takes more than {MAX_DIFF_CPU_SECONDS} seconds, or too much memory"
            ) from None
        if (names := page.get("no_such_column")) is not None:
            detail = f"the result has no column {sort!r}; its columns are {', '.join(names)[:1000]}"
            raise ValidationProblem(unknown_name("sort", detail, str(sort), names))
        return page
