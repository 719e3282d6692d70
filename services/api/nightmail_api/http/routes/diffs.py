"""What differs between the results of two runs."""

import csv
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from nightmail_api.http.client_disconnect import run_while_connected
from nightmail_api.http.dependencies import State
from nightmail_api.http.problems import ValidationProblem
from nightmail_api.http.responses import json_response, problems
from nightmail_api.http.routes.parameters import RunId
from nightmail_api.http.routing import Caller, ViewerRoute
from nightmail_common.contract.limits import MAX_LISTED_ROWS

viewer = APIRouter(route_class=ViewerRoute, tags=["runs"])
routers = (viewer,)

Key = Annotated[
    list[str],
    Query(
        default_factory=list,
        max_length=100,
        description="The columns that identify a row, given several times or as one record of CSV: `region,product`.",
    ),
]


class CountedColumns(BaseModel):
    """Names of columns: how many, and the first ones."""

    count: int = Field(examples=[1])
    items: list[str] = Field(examples=[["currency"]])


class DiffColumns(BaseModel):
    """The columns of both results, in their order, and those that only one of them has."""

    before: list[str] = Field(examples=[["region", "amount"]])
    after: list[str] = Field(examples=[["region", "amount", "currency"]])
    added: CountedColumns
    removed: CountedColumns


class CountedRows(BaseModel):
    """Rows that only one result has: how many, and the first ones with the cells of its columns in order."""

    count: int = Field(examples=[1])
    items: list[list[str]] = Field(examples=[[["east", "310", "EUR"]]])


class CellChange(BaseModel):
    """A cell that differs, as the text of each CSV."""

    column: str = Field(examples=["amount"])
    before: str = Field(examples=["1200"])
    after: str = Field(examples=["1250"])


class RowChange(BaseModel):
    """A row of both results: the cells of its key, and those that differ."""

    key: list[str] = Field(examples=[["north"]])
    cells: list[CellChange]


class CountedChanges(BaseModel):
    """Rows whose key both results have and that differ: how many, and the first ones."""

    count: int = Field(examples=[1])
    items: list[RowChange]


class DiffRows(BaseModel):
    """Rows, compared in the columns that both results have."""

    added: CountedRows
    removed: CountedRows
    changed: CountedChanges
    unchanged: int = Field(examples=[40])


class Diff(BaseModel):
    """What differs between two results, from the one that was computed first (`before`) to the other (`after`)."""

    before: UUID = Field(examples=["3f1d3c0e-6a52-5d7e-9b8e-0f6c1c7a9d21"])
    after: UUID = Field(examples=["01a20996-fe4d-720b-8c70-9ca43442f14c"])
    key: list[str] = Field(examples=[["region"]])
    columns: DiffColumns
    rows: DiffRows


@viewer.get(
    "/runs/{run_id}/diff/{other_run_id}",
    response_model=Diff,
    responses=problems(404, 410, 413),
    description=(
        "Return what differs between the results of two runs, from the earlier to the later one. With `key`, rows are"
        " identified by those columns; without it, the results are multisets of rows, and none is `changed`. Cells are"
        f" compared as the text of the CSVs. Everything is counted, and the first {MAX_LISTED_ROWS} of each kind are listed."
    ),
)
async def diff_runs(
    request: Request, caller: Caller, state: State, run_id: RunId, other_run_id: RunId, key: Key
) -> Response:
    """Return what differs between the results of two runs."""
    work = state.diffs.diff(str(run_id), str(other_run_id), _columns(key), caller.name)
    return json_response(await run_while_connected(request, work))


def _columns(given: list[str]) -> list[str]:
    """Return the names of columns in records of CSV (RFC 4180): a name with a comma stands in quotes."""
    try:
        names = [name for record in csv.reader(given, strict=True) for name in record]
    except csv.Error as error:
        raise ValidationProblem(("key", f"not a record of CSV: {error}")) from None
    return list(dict.fromkeys(names))
