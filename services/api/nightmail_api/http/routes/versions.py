"""The versions of a job, and rollback to one of them."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, Field

from nightmail_api.commands.job_commands import existing
from nightmail_api.http.dependencies import State
from nightmail_api.http.problems import NotFound
from nightmail_api.http.responses import json_response, page_response, problems
from nightmail_api.http.routes.jobs import job_response
from nightmail_api.http.routes.parameters import Cursor, IfMatch, JobName, Limit
from nightmail_api.http.routing import Caller, EditorRoute, ViewerRoute
from nightmail_api.http.schemas import JobResponse, VersionPage, VersionWithJob
from nightmail_api.read_model.queries import Queries

editor = APIRouter(route_class=EditorRoute, tags=["versions"])
viewer = APIRouter(route_class=ViewerRoute, tags=["versions"])
routers = (editor, viewer)

MAX_VERSION = 2**31 - 1


class Rollback(BaseModel, extra="forbid"):
    """The version whose content the job gets."""

    version: int = Field(strict=True, ge=1, le=MAX_VERSION, examples=[1])


@viewer.get("/jobs/{job_name}/versions", response_model=VersionPage, responses=problems(404))
async def list_versions(state: State, job_name: JobName, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List the versions of a job with their changes, newest first."""
    job = existing(await state.read(Queries.known_job, job_name), job_name, None)
    page = await state.read(Queries.versions, job.job_id, limit=limit, cursor=cursor)
    return page_response(page)


@viewer.get("/jobs/{job_name}/versions/{version}", response_model=VersionWithJob, responses=problems(404))
async def get_version(
    state: State,
    job_name: JobName,
    version: Annotated[int, Path(ge=1, le=MAX_VERSION, description="Counts from 1.", examples=[1])],
) -> Response:
    """Return one version of a job: its changes, and the whole job in that version."""
    job = existing(await state.read(Queries.known_job, job_name), job_name, None)
    found = await state.read(Queries.version, job.job_id, version)
    if found is None:
        raise NotFound(f"the job {job_name!r} has no version {version}")
    answer, earlier = found
    return json_response(answer | {"job": earlier})


@editor.post(
    "/jobs/{job_name}/rollback",
    response_model=JobResponse,
    responses=problems(404, 412, has_body=True),
)
async def roll_back_job(
    caller: Caller, state: State, job_name: JobName, rollback: Rollback, if_match: IfMatch = None
) -> Response:
    """Give a job the content of an earlier version, as a new version."""
    await state.commands.roll_back(job_name, rollback.version, caller.name, if_match)
    return await job_response(state, job_name)
