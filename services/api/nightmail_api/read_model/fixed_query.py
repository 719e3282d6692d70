"""Queries that are compiled once and executed by the driver.

`Connection.execute` of SQLAlchemy costs 60 µs in a server under load, which is a quarter of a `GET`; this costs 15.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from sqlalchemy import Compiled, Select
from sqlalchemy.engine import Connection

from nightmail_api.read_model.database import unavailable
from nightmail_api.read_model.schema import without_nul


class FixedQuery:
    """A statement whose parameters are the only thing that changes, all of them texts or integers."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        # SQLAlchemy's names are of a class of its own, for which pydantic's serialiser takes ten times as long.
        self._names = tuple(map(str, statement.selected_columns.keys()))
        self._compiled: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def first(self, connection: Connection, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the first row; None if there is none.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        rows = self._fetch(connection, parameters, lambda cursor: [cursor.fetchone()])
        return None if rows[0] is None else dict(zip(self._names, rows[0], strict=True))

    def tuples(self, connection: Connection, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return the rows as the driver has them.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return self._fetch(connection, parameters, lambda cursor: cursor.fetchall())

    def _fetch(
        self, connection: Connection, parameters: Mapping[str, Any], fetch: Callable[[Any], list[Any]]
    ) -> list[Any]:
        sql, constants = self._compiled.get(connection.dialect.name) or self._compile(connection)
        driver = connection.dialect.loaded_dbapi
        try:
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute(sql, {**constants, **{name: without_nul(value) for name, value in parameters.items()}})
                return fetch(cursor)
        except driver.Error as error:
            if (why := unavailable(error)) is None:
                raise
            connection.invalidate()
            raise why from error

    def _compile(self, connection: Connection) -> tuple[str, Mapping[str, Any]]:
        compiled: Compiled = self._statement.compile(
            dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
        )
        entry = str(compiled), {name: value for name, value in compiled.params.items() if value is not None}
        self._compiled[connection.dialect.name] = entry
        return entry
