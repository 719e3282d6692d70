"""The slices of a result that is split: a list of them, and the signed link to one, which needs no token."""

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from nightmail_api.http.dependencies import State
from nightmail_api.http.responses import CSV, open_problems, problems
from nightmail_api.http.routes.mail import Signed, read_link
from nightmail_api.http.routes.parameters import RunId
from nightmail_api.http.routes.runs import csv_download
from nightmail_api.http.routing import Route, ViewerRoute
from nightmail_common.contract.signing import PATHS, SLICE

anyone = APIRouter(route_class=Route, tags=["mail"])
viewer = APIRouter(route_class=ViewerRoute, tags=["runs"])
routers = (anyone, viewer)


class SliceOfRun(BaseModel):
    """The rows of a result with one value in the job's `split_by`: who gets them, and the digest of their CSV."""

    value: str = Field(examples=["north"])
    rows: int = Field(examples=[2])
    recipients: list[str] = Field(examples=[["north@example.com"]])
    size: int = Field(examples=[41])
    sha256: str = Field(examples=["fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"])


class SliceList(BaseModel):
    """The slices of a result, in the order of the first row of each."""

    items: list[SliceOfRun]


@viewer.get("/runs/{run_id}/slices", responses=problems(404, 410))
async def list_slices(state: State, run_id: RunId) -> SliceList:
    """List the slices of a result that is split. `GET /mails` and the run's `mails` have the outcome of their mails."""
    return SliceList(
        items=[
            SliceOfRun(
                value=one.value,
                rows=one.rows,
                recipients=list(one.recipients),
                size=one.files[0].size,
                sha256=one.files[0].sha256,
            )
            for one in await state.results.slices(str(run_id))
        ]
    )


@anyone.get(PATHS[SLICE] + "{token}", response_class=Response, responses={200: CSV, **open_problems(404)})
async def shared_slice(state: State, token: Signed) -> Response:
    """Return the CSV of one slice, of a mail's signed link."""
    link = read_link(state, SLICE, token)
    csv = await state.results.slice_csv(link["run"], link["slice"])
    return csv_download(f"{link['run']}-{link['slice']}.csv", *csv)
