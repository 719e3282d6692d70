"""Runs: list them, read one, its result and its log, cancel one."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from nightmail_api.http.client_disconnect import run_while_connected
from nightmail_api.http.dependencies import AppState, State
from nightmail_api.http.problems import NotFound
from nightmail_api.http.responses import CSV, PNG, json_response, page_response, problems
from nightmail_api.http.routes.parameters import Cursor, JobName, Limit, QueryMoment, RunId, RunIdPrefix
from nightmail_api.http.routing import Caller, EditorRoute, ViewerRoute
from nightmail_api.http.schemas import RunAccepted, RunPage, RunWithTimeline
from nightmail_api.read_model.queries import Queries
from nightmail_common.contract.envelope import iso_time
from nightmail_common.contract.events import Trigger
from nightmail_common.contract.limits import MAX_FIGURES
from nightmail_common.contract.run import RunStatus

editor = APIRouter(route_class=EditorRoute, tags=["runs"])
viewer = APIRouter(route_class=ViewerRoute, tags=["runs"])
routers = (editor, viewer)

StatusFilter = Annotated[RunStatus | None, Query(description="Only runs of this status.")]
TriggerFilter = Annotated[Trigger | None, Query(description="Only runs that were requested in this way.")]
FigureNumber = Annotated[int, Path(ge=1, le=MAX_FIGURES, description="The number of the figure.", examples=[1])]
Since = Annotated[QueryMoment | None, Query(description="Only runs requested at this time or later.")]
Until = Annotated[QueryMoment | None, Query(description="Only runs requested before this time.")]


class ResultColumn(BaseModel):
    """A column of a result, and what all of its cells are."""

    name: str = Field(examples=["region"])
    type: Literal["integer", "number", "boolean", "date", "datetime", "text"] = Field(examples=["text"])


class ResultRowPage(BaseModel):
    """Rows of a result, and how many it has."""

    columns: list[ResultColumn] = Field(
        examples=[[{"name": "region", "type": "text"}, {"name": "amount", "type": "integer"}]]
    )
    rows: list[list[Any]] = Field(examples=[[["north", 1200], ["south", 950]]])
    total: int = Field(examples=[2])


@viewer.get("/jobs/{job_name}/runs", response_model=RunPage, responses=problems(404))
async def list_runs_of_job(
    state: State,
    job_name: JobName,
    status: StatusFilter = None,
    trigger: TriggerFilter = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List the runs of a job, newest first, with those of a deleted job of that name."""
    if await state.read(Queries.known_job, job_name) is None:
        raise NotFound(f"there is no job named {job_name!r}")
    return await list_runs(state, job_name, status, trigger, since, until, None, limit, cursor)


@viewer.get("/runs", response_model=RunPage, responses=problems())
async def list_runs(
    state: State,
    job_name: Annotated[str | None, Query(max_length=128, description="Only runs of this job.")] = None,
    status: StatusFilter = None,
    trigger: TriggerFilter = None,
    since: Since = None,
    until: Until = None,
    id_prefix: RunIdPrefix = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List runs, newest first."""
    page = await state.read(
        Queries.runs,
        job_name=job_name,
        status=status,
        trigger=trigger,
        since=_text(since),
        until=_text(until),
        id_prefix=id_prefix,
        limit=limit,
        cursor=cursor,
    )
    return page_response(page)


@viewer.get("/runs/{run_id}", response_model=RunWithTimeline, responses=problems(404))
async def get_run(state: State, run_id: RunId) -> Response:
    """Return a run with its timeline: every event, in order."""
    run = await state.read(Queries.run, str(run_id))
    if run is None:
        raise NotFound(f"there is no run {run_id}")
    return json_response(run | {"inputs": await state.inputs.of_run(str(run_id))})


@editor.post("/runs/{run_id}/cancel", status_code=202, responses=problems(404, 409))
async def cancel_run(caller: Caller, state: State, run_id: RunId) -> RunAccepted:
    """Cancel a queued or running run: its script is killed, and nothing of it is mailed."""
    await state.commands.cancel(run_id, caller.name)
    return RunAccepted(run_id=run_id)


@viewer.get(
    "/runs/{run_id}/result",
    response_class=Response,
    responses={200: CSV, **problems(404)},
)
async def get_result(state: State, run_id: RunId) -> Response:
    """Return the run's CSV, with the same bytes as in the mail."""
    return await csv_response(state, str(run_id))


@viewer.get("/runs/{run_id}/figures/{number}", response_class=Response, responses={200: PNG, **problems(404, 410)})
async def get_figure(state: State, run_id: RunId, number: FigureNumber) -> Response:
    """Return a figure that the run's script drew; they are counted from 1, in the order of their drawing."""
    png = await state.results.figure(str(run_id), number)
    headers = {"Content-Disposition": f'inline; filename="{run_id}-{number}.png"'}
    return Response(png, headers=headers, media_type="image/png")


@viewer.get(
    "/runs/{run_id}/log",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"example": "read 1234 rows\n"}}}, **problems(404)},
)
async def get_log(state: State, run_id: RunId) -> PlainTextResponse:
    """Return the output of the script; it is empty until the run ends."""
    return PlainTextResponse(await state.results.log(str(run_id)))


@viewer.get("/runs/{run_id}/rows", response_model=ResultRowPage, responses=problems(404, 410, 413))
async def get_rows(
    request: Request,
    caller: Caller,
    state: State,
    run_id: RunId,
    limit: Annotated[int, Query(ge=1, le=1000, description="The largest number of rows.")] = 200,
    offset: Annotated[int, Query(ge=0, le=2**31, description="How many rows to leave out.")] = 0,
    sort: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=1024,
            description="A column; `-column` for the largest first. The default: as mailed.",
        ),
    ] = None,
    cells: Annotated[
        Literal["values", "texts"],
        Query(description="`values` by the types of the columns, or `texts` as the file has them: `10.50`, `1,5`."),
    ] = "values",
) -> Response:
    """Return rows of the result, with the types of the columns. A page of large rows ends before `limit`.

    Cells of `integer` and `number` columns are JSON numbers if a double holds each of them exactly, otherwise texts with every
    digit. A missing value is null.
    """
    work = state.rows.page(str(run_id), caller.name, offset=offset, limit=limit, sort=sort, as_texts=cells == "texts")
    return json_response(await run_while_connected(request, work))


async def csv_response(state: AppState, run_id: str) -> Response:
    """Return the response with a run's CSV."""
    return csv_download(f"{run_id}.csv", *await state.results.csv(run_id))


def csv_download(name: str, size: int, parts: AsyncIterator[bytes]) -> Response:
    """Return the response with a CSV, which is not held as a whole: a client may take hours to read it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return StreamingResponse(parts, headers=headers, media_type="text/csv")


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else iso_time(moment)
