"""Queries of other databases, by SQLAlchemy: `pip install nightmail-runner[sqlalchemy]` and the database's driver."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pyarrow

from nightmail_runner.sql.request import QueryFailed, QueryRequest, no_table
from nightmail_runner.sql.rows import BATCH_ROWS, read_rows

_BUILT_IN = "postgresql, postgres and sqlite are built in"


@contextmanager
def open_query(
    request: QueryRequest,
    cancel_by: Callable[[Callable[[], None]], None],  # noqa: ARG001 the end of the connection is all that drivers share
) -> Iterator[pyarrow.RecordBatchReader]:
    """Run a query in a transaction that is rolled back. Not every driver has read-only ones.

    Raises:
        QueryFailed: the URL's driver is not installed, or the database refuses the query.
    """
    scheme = urlsplit(request.url).scheme
    if not scheme:
        raise QueryFailed(f"the connection is not a URL like postgresql://user@host/database; {_BUILT_IN}")
    try:
        import sqlalchemy
    except ImportError:
        raise QueryFailed(
            f"a connection of the scheme {scheme!r} needs nightmail-runner[sqlalchemy]; {_BUILT_IN}"
        ) from None
    if isinstance(request.parameters, list):
        raise QueryFailed(
            f"a connection of the scheme {scheme!r} takes parameters as an object: the query names them :name"
        )
    request.check_parameters()
    try:
        engine = sqlalchemy.create_engine(request.url, poolclass=sqlalchemy.NullPool)
    except (ImportError, sqlalchemy.exc.ArgumentError) as error:
        raise QueryFailed(f"there is no driver for the scheme {scheme!r}: {error}; {_BUILT_IN}") from None
    try:
        with engine.connect() as connection:
            connection = connection.execution_options(stream_results=True, postgresql_readonly=True)
            result = connection.execute(sqlalchemy.text(request.statement), request.parameters or {})
            if not result.returns_rows:
                raise no_table()
            yield read_rows(list(result.keys()), lambda: result.fetchmany(BATCH_ROWS), request)
    except sqlalchemy.exc.SQLAlchemyError as error:
        message = str(error.orig) if isinstance(error, sqlalchemy.exc.DBAPIError) else str(error)
        raise QueryFailed(f"the database refuses the query: {message}") from None
