"""Jobs: create, read, change, pause, run."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Header, Query
from fastapi.responses import Response

from nightmail_api.access.authentication import Forbidden
from nightmail_api.commands.previews import PreviewDefinition
from nightmail_api.http.dependencies import Api, Parts
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
    prepared_response,
    problems,
)
from nightmail_api.http.routing import Route
from nightmail_api.http.schemas import JobAnswer, JobPage, PreviewAnswer, RunAccepted
from nightmail_api.read_model.queries import JobStatus, Queries
from nightmail_common.contract.job_definition import JobDefinition

router = APIRouter(route_class=Route, tags=["jobs"])

Definition = Annotated[JobDefinition, Body()]


@router.post("/jobs/create", status_code=201, response_model=JobAnswer, responses=problems(409, has_body=True))
@router.post("/jobs", status_code=201, response_model=JobAnswer, responses=problems(409, has_body=True))
async def create_job(principal: Editor, api: Api, definition: Definition) -> Response:
    """Register a job. It is in the log, on disk, when the answer comes."""
    await api.commands.create(definition, principal.name)
    return await job_response(api, definition.job_name, 201)


@router.post("/jobs/preview", response_model=PreviewAnswer, responses=problems(has_body=True))
async def preview_job(_: Editor, api: Api, definition: Annotated[PreviewDefinition, Body()]) -> Response:
    """Try a job without saving it: fetch its data and run its script now, keep nothing, mail nothing.

    Only `data_source` and `processing_script` are needed. A script that fails is an answer, too: `error` says how.
    """
    return json_response(await api.previews.run(definition))


@router.get("/jobs", response_model=JobPage, responses=problems())
async def list_jobs(
    _: Viewer,
    api: Api,
    q: Annotated[str | None, Query(max_length=128, description="Part of the name, in whatever case.")] = None,
    status: Annotated[JobStatus | None, Query(description="Only jobs of this status.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List jobs by name."""
    page = await api.read(Queries.jobs, query=q, status=status, limit=limit, cursor=cursor, now=datetime.now(UTC))
    return page_response(page)


@router.get("/jobs/{job_name}", response_model=JobAnswer, responses=problems(404))
async def get_job(_: Viewer, api: Api, job_name: JobName) -> Response:
    """Return one job; its `ETag` goes into `If-Match` of a change."""
    return await job_response(api, job_name)


@router.put("/jobs/{job_name}", response_model=JobAnswer, responses=problems(404, 412, has_body=True))
async def update_job(
    principal: Editor, api: Api, job_name: JobName, definition: Definition, if_match: IfMatch
) -> Response:
    """Change a job. The same content again makes no new version."""
    await api.commands.update(job_name, definition, principal.name, if_match)
    return await job_response(api, job_name)


@router.delete("/jobs/{job_name}", status_code=204, responses=problems(404, 412))
async def delete_job(
    principal: Editor,
    api: Api,
    job_name: JobName,
    if_match: IfMatch,
    erase: Annotated[
        bool, Query(description="Forget everything about it too: events, results, rows. Needs the role admin.")
    ] = False,
) -> Response:
    """End a job. Its runs stay readable and its name is free. A deleted job can still be erased."""
    if not erase:
        await api.commands.delete(job_name, principal.name, if_match)
    elif principal.role == "admin":
        await api.commands.erase(job_name, principal.name, if_match)
    else:
        raise Forbidden(f"to erase needs the role admin; the token's is {principal.role}")
    return Response(status_code=204)


@router.post("/jobs/{job_name}/pause", response_model=JobAnswer, responses=problems(404, 412))
async def pause_job(principal: Editor, api: Api, job_name: JobName, if_match: IfMatch) -> Response:
    """Stop a job from firing. What falls due meanwhile is not caught up."""
    await api.commands.pause(job_name, principal.name, if_match)
    return await job_response(api, job_name)


@router.post("/jobs/{job_name}/resume", response_model=JobAnswer, responses=problems(404, 412))
async def resume_job(principal: Editor, api: Api, job_name: JobName, if_match: IfMatch) -> Response:
    """Let a paused job fire again, from now on."""
    await api.commands.resume(job_name, principal.name, if_match)
    return await job_response(api, job_name)


@router.post("/jobs/{job_name}/run", status_code=202, response_model=RunAccepted, responses=problems(404))
async def run_job(
    principal: Editor,
    api: Api,
    job_name: JobName,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=256, description="The same key for the same job asks for one run, once."),
    ] = None,
) -> Response:
    """Ask for a run now, of a paused job too."""
    run_id = await api.commands.run(job_name, principal.name, idempotency_key)
    return json_response({"run_id": str(run_id)}, 202)


async def job_response(api: Parts, job_name: str, status: int = 200) -> Response:
    """Answer with a job as it is now, and its `ETag`.

    Raises:
        NotFound: there is no such job.
    """
    found = await api.read(Queries.job, job_name, datetime.now(UTC))
    if found is None:
        raise NotFound(f"there is no job named {job_name!r}")
    answer, sequence = found
    return prepared_response(answer, status, ETag=f'"{sequence}"')
