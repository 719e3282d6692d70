"""What a reader process is asked to do, and how its work fails."""

from dataclasses import dataclass, field

from nightmail_common.contract.sql_source import Parameters


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
        """The query without a semicolon at its end, and on lines of its own: it may end with a comment."""
        return self.query.strip().removesuffix(";") + "\n"


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
