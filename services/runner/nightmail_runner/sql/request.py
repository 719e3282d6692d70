"""What a reader process is asked to do, and how its work fails."""

import re
from dataclasses import dataclass, field

from nightmail_common.contract.sql_source import Parameters

#: Semicolons at the end of a query, and comments behind them. A comment has no character that ends a literal, a quoted
#: name or another comment, so that it is none of their text.
_ENDING = re.compile(r""";(?:[\s;]|--[^\n'"`$*\]]*+)*+\Z""")


class QueryFailed(Exception):
    """The result cannot be read. The message is for the job's owner.

    `transient`: the next attempt may succeed.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


@dataclass(frozen=True)
class QueryRequest:
    """A query and the ceilings of its result: bytes in Arrow's memory layout, rows, columns."""

    url: str
    query: str
    parameters: Parameters | None
    timeout_seconds: float
    max_bytes: int
    max_rows: int
    max_columns: int
    #: What the reader decided.
    notes: list[str] = field(default_factory=list)

    @property
    def statement(self) -> str:
        """The query without the semicolons at its end, and on lines of its own: it may end with a comment."""
        return _ENDING.sub("", self.query.strip()) + "\n"

    def check_parameters(self) -> None:
        """Refuse parameters that the query does not use; databases ignore them. One in a comment counts as used.

        Raises:
            QueryFailed: the query does not name one of the parameters.
        """
        parameters = self.parameters or []
        if isinstance(parameters, dict):
            names = {f":{name}": rf"[:@$]{re.escape(name)}\b" for name in parameters}
        else:
            names = {f"${number}": rf"\$0*{number}(?![0-9])" for number in range(1, len(parameters) + 1)}
        unused = [name for name, pattern in names.items() if not re.search(pattern, self.query)]
        if unused:
            raise QueryFailed(
                f"the source has {len(parameters)} parameters, but the query uses {len(parameters) - len(unused)} of them: "
                f"it has no {', '.join(unused)[:200]}"
            )


def took_too_long(request: QueryRequest) -> QueryFailed:
    return QueryFailed(
        f"the query took longer than {request.timeout_seconds:g} s; the source's timeout_seconds can allow more"
    )


def does_not_fit(request: QueryRequest) -> QueryFailed:
    return QueryFailed(
        f"the result does not fit into memory; NIGHTMAIL_MAX_INPUT_BYTES allows {request.max_bytes} bytes"
    )


def no_table() -> QueryFailed:
    return QueryFailed("the query returns no table; a SELECT does")
