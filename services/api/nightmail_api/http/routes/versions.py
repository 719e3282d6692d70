"""A job's versions: who changed what, and back to one of them."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from nightmail_api.commands.job_commands import existing
from nightmail_api.http.dependencies import Api
from nightmail_api.http.problems import NotFound
from nightmail_api.http.routes.common import (
    Cursor,
    Editor,
    IfMatch,
    JobName,
    Limit,
    Viewer,
    json_response,
    page_response,
    problems,
)
from nightmail_api.http.routes.jobs import job_response
from nightmail_api.http.routing import Route
from nightmail_api.http.schemas import JobAnswer, VersionPage, VersionWithJob
from nightmail_api.read_model.queries import Queries

router = APIRouter(route_class=Route, tags=["versions"])

MAX_VERSION = 2**31 - 1


class Rollback(BaseModel):
    """Which version's content the job is to have again."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(strict=True, ge=1, le=MAX_VERSION, examples=[1])


@router.get("/jobs/{job_name}/versions", response_model=VersionPage, responses=problems(404))
async def list_versions(_: Viewer, api: Api, job_name: JobName, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List the versions of a job with what each changed, the newest first."""
    job = existing(await api.read(Queries.known_job, job_name), job_name, None)
    page = await api.read(Queries.versions, job.job_id, limit=limit, cursor=cursor)
    return page_response(page)


@router.get("/jobs/{job_name}/versions/{version}", response_model=VersionWithJob, responses=problems(404))
async def get_version(
    _: Viewer,
    api: Api,
    job_name: JobName,
    version: Annotated[int, Path(ge=1, le=MAX_VERSION, description="Counts from 1.", examples=[1])],
) -> Response:
    """Return one version of a job: what it changed, and the whole job as it was."""
    job = existing(await api.read(Queries.known_job, job_name), job_name, None)
    found = await api.read(Queries.version, job.job_id, version)
    if found is None:
        raise NotFound(f"the job {job_name!r} has no version {version}")
    answer, then = found
    return json_response(answer | {"job": then})


@router.post("/jobs/{job_name}/rollback", response_model=JobAnswer, responses=problems(404, 412, has_body=True))
async def roll_back_job(
    principal: Editor, api: Api, job_name: JobName, rollback: Rollback, if_match: IfMatch
) -> Response:
    """Give a job the content of one of its versions again, as a new version."""
    await api.commands.roll_back(job_name, rollback.version, principal.name, if_match)
    return await job_response(api, job_name)
