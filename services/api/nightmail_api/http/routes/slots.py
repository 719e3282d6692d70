"""The ledger of due times, past and future."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from nightmail_api.http.dependencies import State
from nightmail_api.http.problems import ValidationProblem
from nightmail_api.http.responses import encoded_response, problems
from nightmail_api.http.routes.parameters import QueryMoment
from nightmail_api.http.routing import ViewerRoute
from nightmail_api.http.schemas import SlotList
from nightmail_api.read_model.slots import MAX_SPAN, due_time_slots

DEFAULT_SPAN = timedelta(days=1)
_LAST = datetime.max.replace(tzinfo=UTC) - MAX_SPAN

viewer = APIRouter(route_class=ViewerRoute, tags=["schedules"])
routers = (viewer,)


@viewer.get("/slots", response_model=SlotList, responses=problems())
async def list_slots(
    state: State,
    since: Annotated[
        QueryMoment | None, Query(alias="from", description="The first due time; the default is now.")
    ] = None,
    until: Annotated[
        QueryMoment | None, Query(description="Only due times before this time; the default is a day after `from`.")
    ] = None,
    job_name: Annotated[str | None, Query(max_length=128, description="Only due times of this job.")] = None,
) -> Response:
    """List due times with what became of each, in order: at most 31 days and 10,000 items."""
    now = datetime.now(UTC)
    since = (since or now).astimezone(UTC).replace(microsecond=0)
    until = (until or min(since, _LAST) + DEFAULT_SPAN).astimezone(UTC)
    if until < since:
        raise ValidationProblem(("until", "it is before `from`"))
    if until - since > MAX_SPAN:
        raise ValidationProblem(("until", f"at most {MAX_SPAN.days} days after `from`"))
    items = await state.read(due_time_slots, since, until, job_name, now)
    return encoded_response(f'{{"items":[{",".join(items)}]}}')
