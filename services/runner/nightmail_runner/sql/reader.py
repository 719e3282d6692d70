"""The reader process: takes a request as a line of JSON, writes the query's result to stdout as an Arrow IPC stream.

The last line on stderr is its report: `{"notes": [...]}` or `{"error": ..., "transient": ...}`. The end of its stdin is a
cancellation, so that a query ends with the runner that asked for it.
"""

import json
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import IOBase
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pyarrow
import pyarrow.ipc

from nightmail_runner.sql.arrow_types import plain_batch, plain_schema
from nightmail_runner.sql.patches import keep_pandas_out
from nightmail_runner.sql.request import QueryFailed, QueryRequest, does_not_fit, no_table, took_too_long

#: A driver may hold a result twice, in addition to the Arrow batches; Python and the libraries take about 300 MiB.
_COPIES, _OWN_BYTES = 4, 1024**3
_POSTGRESQL, _SQLITE = ("postgresql", "postgres"), ("sqlite",)

Cancel = Callable[[], None]


def main() -> None:
    request = QueryRequest(**json.loads(sys.stdin.buffer.readline()))
    scheme = urlsplit(request.url).scheme
    if scheme in (*_POSTGRESQL, *_SQLITE):  # other databases' drivers may need it
        keep_pandas_out()
    limit = _COPIES * request.max_bytes + _OWN_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    cancellation = _Cancellation()
    deadline = threading.Timer(request.timeout_seconds, _end_late, [request])
    deadline.daemon = True
    if urlsplit(request.url).scheme not in (*_POSTGRESQL, *_SQLITE):  # these have deadlines of their own
        deadline.start()
    try:
        with os.fdopen(os.dup(1), "wb") as output:
            run_query(request, output, cancellation.by)
        report: dict[str, Any] = {"notes": request.notes}
    except QueryFailed as error:
        report = {"error": str(error), "transient": error.transient}
    except (MemoryError, pyarrow.ArrowMemoryError):
        report = {"error": str(does_not_fit(request))}
    deadline.cancel()
    _report(report)


def run_query(request: QueryRequest, output: IOBase, cancel_by: Callable[[Cancel], None]) -> None:
    """Write the result of a query, and add what was decided to the request's notes.

    Args:
        cancel_by: called with what cancels the query.

    Raises:
        QueryFailed: there is no result, or not all of it.
    """
    with _opened(request, cancel_by) as reader:
        _write(request, reader, output)


def _report(report: dict[str, Any]) -> NoReturn:
    print(json.dumps(report), file=sys.stderr, flush=True)
    os._exit(0)  # the thread that waits for a cancellation holds stdin


def _end_late(request: QueryRequest) -> NoReturn:
    """End the process, and with it the connection: drivers share no other way to end a query that took too long."""
    _report({"error": str(took_too_long(request))})


class _Cancellation:
    """Cancels the query and ends the process when stdin ends."""

    def __init__(self) -> None:
        self._cancel: Cancel | None = None
        threading.Thread(target=self._wait, daemon=True).start()

    def by(self, cancel: Cancel) -> None:
        self._cancel = cancel

    def _wait(self) -> None:
        sys.stdin.buffer.read()
        try:
            if self._cancel is not None:
                self._cancel()
        finally:
            os._exit(1)


@contextmanager
def _opened(request: QueryRequest, cancel_by: Callable[[Cancel], None]) -> Iterator[pyarrow.RecordBatchReader]:
    """Run the query with the driver of its URL's scheme; a driver is imported here alone."""
    scheme = urlsplit(request.url).scheme
    if scheme in _POSTGRESQL:
        from nightmail_runner.sql.postgresql import open_query as open_with_driver
    elif scheme in _SQLITE:
        from nightmail_runner.sql.sqlite import open_query as open_with_driver
    else:
        from nightmail_runner.sql.other_databases import open_query as open_with_driver
    with open_with_driver(request, cancel_by) as reader:
        yield reader


def _write(request: QueryRequest, batches: pyarrow.RecordBatchReader, output: IOBase) -> None:
    if not len(batches.schema):
        raise no_table()
    if len(batches.schema) > request.max_columns:
        raise QueryFailed(
            f"the result has {len(batches.schema)} columns, more than the {request.max_columns} of NIGHTMAIL_MAX_COLUMNS"
        )
    schema = plain_schema(batches.schema)
    rows = 0
    with pyarrow.ipc.new_stream(output, schema) as stream:
        for batch in batches:
            rows += batch.num_rows
            if rows > request.max_rows:
                raise QueryFailed(f"the result has more than the {request.max_rows} rows of NIGHTMAIL_MAX_ROWS")
            stream.write_batch(plain_batch(batch, schema))


if __name__ == "__main__":
    main()
