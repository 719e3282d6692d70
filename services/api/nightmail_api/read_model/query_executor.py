"""Asks the projection, without a wait for it on the event loop."""

from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Concatenate, ParamSpec, TypeVar

from nightmail_api.read_model.database import Database
from nightmail_api.read_model.queries import Queries

P = ParamSpec("P")
T = TypeVar("T")


class Reader:
    """The queries, each on a connection of its own while it is answered: `await read(Queries.run, run_id)`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._all = [Queries(database.open_to_read()) for _ in range(database.readers)]
        self._idle: SimpleQueue[Queries] = SimpleQueue()
        for queries in self._all:
            self._idle.put(queries)

    async def __call__(self, query: Callable[Concatenate[Queries, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a query answers, or raise what it does.

        Raises:
            DatabaseAway: the database does not answer.
        """
        return await self._database.reading(self._ask, query, args, kwargs)

    def close(self) -> None:
        for queries in self._all:
            queries.close()

    def _ask(self, query: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        queries = self._idle.get()
        try:
            return query(queries, *args, **kwargs)
        finally:
            self._idle.put(queries)
