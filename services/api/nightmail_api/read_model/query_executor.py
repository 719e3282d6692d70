"""Runs queries of the projection without blocking the event loop."""

from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.engine import Connection

from nightmail_api.read_model.database import Database, TablesLost, as_database_unavailable
from nightmail_api.read_model.queries import Queries

P = ParamSpec("P")
T = TypeVar("T")


class QueryExecutor:
    """Connections for queries, each used by one query at a time: `await execute(Queries.run, run_id)`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: What a query found; what follows the log ends the process with it.
        self.lost: TablesLost | None = None
        # A connection stays open between queries: to take one from the engine's pool costs as much as the query.
        self._idle: SimpleQueue[Connection | None] = SimpleQueue()
        for _ in range(database.readers):
            self._idle.put(None)

    async def __call__(self, query: Callable[Concatenate[Queries, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of a query, or raise its error.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return await self._database.run_read(self._execute, query, args, kwargs)

    def close(self) -> None:
        for _ in range(self._database.readers):
            if (connection := self._idle.get()) is not None:
                connection.close()

    def _execute(self, query: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        connection = self._idle.get()
        try:
            with as_database_unavailable():
                connection = connection or self._database.read_engine.connect()
                return query(Queries(connection), *args, **kwargs)
        except BaseException as error:
            if isinstance(error, TablesLost):
                self.lost = error
            # The engine replaces a connection that is broken.
            if connection is not None:
                connection.close()
            connection = None
            raise
        finally:
            self._idle.put(connection)
