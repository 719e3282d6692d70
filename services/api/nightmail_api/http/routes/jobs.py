"""Jobs: create, read, change, pause, run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import from_json

from nightmail_api.commands.job_commands import JobChange
from nightmail_api.commands.previews import PreviewDefinition
from nightmail_api.http.client_disconnect import run_while_connected
from nightmail_api.http.dependencies import AppState, State
from nightmail_api.http.preview_schemas import PreviewResponse
from nightmail_api.http.problems import Forbidden, NotFound
from nightmail_api.http.responses import encoded_response, json_response, page_response, problems
from nightmail_api.http.routes.parameters import Cursor, IfMatch, JobName, Limit
from nightmail_api.http.routing import Caller, EditorRoute, ViewerRoute
from nightmail_api.http.schemas import JOB_EXAMPLE, ItemPage, JobPage, JobResponse, LastRun, RunAccepted
from nightmail_api.http.serialization import with_warnings
from nightmail_api.read_model.job_lists import JobSort
from nightmail_api.read_model.job_lists import list_jobs as list_of_jobs
from nightmail_api.read_model.queries import JobStatus, Queries
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.recipient_warnings import recipient_warnings
from nightmail_common.contract.run import RunStatus

editor = APIRouter(route_class=EditorRoute, tags=["jobs"])
viewer = APIRouter(route_class=ViewerRoute, tags=["jobs"])
routers = (editor, viewer)

Definition = Annotated[JobDefinition, Body(examples=[JOB_EXAMPLE])]
Change = Annotated[JobChange, Body(examples=[JOB_EXAMPLE])]
_PREVIEW_EXAMPLE = {field: JOB_EXAMPLE[field] for field in ("data_source", "processing_script")}


class Fate(BaseModel):
    """What became of one of a job's last runs."""

    run_id: UUID = Field(examples=["3f1d3c0e-6a52-5d7e-9b8e-0f6c1c7a9d21"])
    status: RunStatus = Field(examples=["delivered"])
    scheduled_at: datetime = Field(examples=["2026-11-23T08:00:00Z"])
    rows: int | None = Field(examples=[4])


class JobSummary(BaseModel, extra="allow"):
    """A job without its script.

    `fates` are its last 12 runs, the newest first; `usual_rows` the median of those delivered of its last 20 runs.
    """

    job_name: str = Field(examples=["daily sales"])
    status: Literal["active", "paused"]
    last_run: LastRun | None
    next_run: datetime | None = Field(examples=["2026-11-24T09:00:00+01:00"])
    fates: list[Fate]
    usual_rows: int | None = Field(examples=[4])
    failing: bool = Field(examples=[False])


class JobSummaryPage(ItemPage[JobSummary]):
    """A page of jobs, each as a summary."""


@editor.post(
    "/jobs/create",
    status_code=201,
    response_model=JobResponse,
    responses=problems(409, has_body=True),
)
@editor.post("/jobs", status_code=201, response_model=JobResponse, responses=problems(409, has_body=True))
async def create_job(caller: Caller, state: State, definition: Definition) -> Response:
    """Create a job. When the response arrives, the job is in the log, on disk.

    Its source is tried once, meanwhile; `warnings` say what is probably wrong with the job.
    """
    warnings = await state.sources.beside(definition, state.commands.create(definition, caller.name))
    return await job_response(state, definition.job_name, 201, warnings)


@editor.post("/jobs/preview", response_model=PreviewResponse, responses=problems(has_body=True))
async def preview_job(
    request: Request,
    caller: Caller,
    state: State,
    definition: Annotated[PreviewDefinition, Body(examples=[_PREVIEW_EXAMPLE])],
) -> Response:
    """Try a job without saving it: fetch its data and run its script now. It mails nothing, but with `send_to` to that address.

    The input is kept for an hour: a further preview with the answer's `sample_id` runs on it and fetches nothing.
    Only `data_source` and `processing_script` are required. If the script fails, the answer is 200 and has `error`.
    """
    answer = await run_while_connected(request, state.previews.run(definition, caller.name))
    return json_response(answer)


@viewer.get("/jobs", response_model=JobPage | JobSummaryPage, responses=problems())
async def list_jobs(
    state: State,
    q: Annotated[str | None, Query(max_length=128, description="A part of the name, case-insensitive.")] = None,
    status: Annotated[JobStatus | None, Query(description="Only jobs of this status.")] = None,
    view: Annotated[
        Literal["summary"] | None,
        Query(description="`summary`: without the script, with the last fates; at most 100 jobs a page."),
    ] = None,
    sort: Annotated[
        JobSort, Query(description="By name, by next run (soonest first), by last run (latest first).")
    ] = "name",
    failing: Annotated[bool, Query(description="Only jobs whose last run failed or was not delivered.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List jobs."""
    page = await state.read(
        list_of_jobs,
        query=q,
        status=status,
        sort=sort,
        failing=failing,
        summary=view is not None,
        limit=limit,
        cursor=cursor,
        now=datetime.now(UTC),
    )
    return page_response(page)


@viewer.get("/jobs/{job_name}", response_model=JobResponse, responses=problems(404))
async def get_job(state: State, job_name: JobName) -> Response:
    """Return one job. Send its `ETag` as `If-Match` with a change."""
    return await job_response(state, job_name)


@editor.put(
    "/jobs/{job_name}",
    response_model=JobResponse,
    responses=problems(404, 412, has_body=True),
)
async def update_job(
    caller: Caller, state: State, job_name: JobName, definition: Change, if_match: IfMatch = None
) -> Response:
    """Change a job. The same content creates no new version. Its source is tried once, as at creation.

    The body may be the answer of `GET /jobs/{job_name}` with other values: of a body with `job_id` the fields that the
    service decides are not read.
    """
    change = state.commands.update(job_name, definition, caller.name, if_match)
    return await job_response(state, job_name, warnings=await state.sources.beside(definition, change))


@editor.delete("/jobs/{job_name}", status_code=204, responses=problems(404, 412))
async def delete_job(
    caller: Caller,
    state: State,
    job_name: JobName,
    if_match: IfMatch = None,
    erase: Annotated[bool, Query(description="Delete its events, results and rows too. Needs the role admin.")] = False,
) -> Response:
    """Delete a job. Its runs stay readable and its name is free. A deleted job can still be erased."""
    if not erase:
        await state.commands.delete(job_name, caller.name, if_match)
    elif caller.role == "admin":
        await state.commands.erase(job_name, caller.name, if_match)
    else:
        raise Forbidden(f"to erase needs the role admin; the token's is {caller.role}")
    return Response(status_code=204)


@editor.post("/jobs/{job_name}/pause", response_model=JobResponse, responses=problems(404, 412))
async def pause_job(caller: Caller, state: State, job_name: JobName, if_match: IfMatch = None) -> Response:
    """Pause a job. Due times during the pause are not caught up."""
    await state.commands.set_status(job_name, caller.name, if_match, "paused")
    return await job_response(state, job_name)


@editor.post("/jobs/{job_name}/resume", response_model=JobResponse, responses=problems(404, 412))
async def resume_job(caller: Caller, state: State, job_name: JobName, if_match: IfMatch = None) -> Response:
    """Resume a paused job, from now on."""
    await state.commands.set_status(job_name, caller.name, if_match, "active")
    return await job_response(state, job_name)


@editor.post("/jobs/{job_name}/run", status_code=202, responses=problems(404))
async def run_job(
    caller: Caller,
    state: State,
    job_name: JobName,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=256, description="Requests for one job with one key give one run."),
    ] = None,
) -> RunAccepted:
    """Request a run now, also of a paused job."""
    return RunAccepted(run_id=await state.commands.run(job_name, caller.name, idempotency_key))


async def job_response(
    state: AppState, job_name: str, status: int = 200, warnings: Sequence[dict[str, str]] = ()
) -> Response:
    """Return the response with a job's current state, and its `ETag`.

    Args:
        warnings: further warnings, in addition to those about schedules and recipients.

    Raises:
        NotFound: there is no such job.
    """
    found = await state.read(Queries.job, job_name, datetime.now(UTC))
    if found is None:
        raise NotFound(f"there is no job named {job_name!r}")
    content, sequence = found
    content = with_warnings(content, [*warnings, *recipient_warnings(from_json(content))])
    return encoded_response(content, status, ETag=f'"{sequence}"')
