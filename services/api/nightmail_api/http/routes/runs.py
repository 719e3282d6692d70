"""Runs: what ran, how it ended, what came out."""

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response

from nightmail_api.http.dependencies import Api
from nightmail_api.http.problems import NotFound
from nightmail_api.http.routes.common import (
    Cursor,
    JobName,
    Limit,
    Moment,
    RunId,
    Viewer,
    json_response,
    page_response,
    problems,
)
from nightmail_api.http.routing import Route
from nightmail_api.http.schemas import RunPage, RunWithTimeline
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.run_projection import iso
from nightmail_common.contract.events import Trigger
from nightmail_common.contract.run import RunStatus

router = APIRouter(route_class=Route, tags=["runs"])

StatusFilter = Annotated[RunStatus | None, Query(description="Only runs of this status.")]
TriggerFilter = Annotated[Trigger | None, Query(description="Only runs that were asked for in this way.")]
Since = Annotated[Moment | None, Query(description="Only runs requested at this time or later.")]
Until = Annotated[Moment | None, Query(description="Only runs requested before this time.")]


@router.get("/jobs/{job_name}/runs", response_model=RunPage, responses=problems(404))
async def list_runs_of_job(
    _: Viewer,
    api: Api,
    job_name: JobName,
    status: StatusFilter = None,
    trigger: TriggerFilter = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List the runs of a job, the newest first. Those of a deleted job of that name are among them."""
    if await api.read(Queries.known_job, job_name) is None:
        raise NotFound(f"there is no job named {job_name!r}")
    page = await api.read(
        Queries.runs,
        job_name=job_name,
        status=status,
        trigger=trigger,
        since=_text(since),
        until=_text(until),
        limit=limit,
        cursor=cursor,
    )
    return page_response(page)


@router.get("/runs", response_model=RunPage, responses=problems())
async def list_runs(
    _: Viewer,
    api: Api,
    job_name: Annotated[str | None, Query(max_length=128, description="Only this job's runs.")] = None,
    status: StatusFilter = None,
    trigger: TriggerFilter = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List runs, the newest first."""
    page = await api.read(
        Queries.runs,
        job_name=job_name,
        status=status,
        trigger=trigger,
        since=_text(since),
        until=_text(until),
        limit=limit,
        cursor=cursor,
    )
    return page_response(page)


@router.get("/runs/{run_id}", response_model=RunWithTimeline, responses=problems(404))
async def get_run(_: Viewer, api: Api, run_id: RunId) -> Response:
    """Return a run with its timeline: every event, in order."""
    run = await api.read(Queries.run, str(run_id))
    if run is None:
        raise NotFound(f"there is no run {run_id}")
    return json_response(run)


@router.get(
    "/runs/{run_id}/result",
    response_class=Response,
    responses={
        200: {
            "description": "The very bytes that were mailed",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        **problems(404),
    },
)
async def get_result(_: Viewer, api: Api, run_id: RunId) -> Response:
    """Return the run's CSV."""
    csv = await api.results.csv(str(run_id))
    name = quote(f"{run_id}.csv")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(csv, headers=headers, media_type="text/csv")


@router.get("/runs/{run_id}/log", response_class=PlainTextResponse, responses=problems(404))
async def get_log(_: Viewer, api: Api, run_id: RunId) -> PlainTextResponse:
    """Return what the script printed; empty while it has not ended."""
    return PlainTextResponse(await api.results.log(str(run_id)))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
