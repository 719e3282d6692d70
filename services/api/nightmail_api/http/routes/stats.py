"""Counters of runs and mails by day."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BeforeValidator, TypeAdapter

from nightmail_api.http.day_schemas import DayCounterPage
from nightmail_api.http.dependencies import State
from nightmail_api.http.problems import ValidationProblem
from nightmail_api.http.responses import page_response, problems
from nightmail_api.http.routes.parameters import Cursor, Limit, QueryMoment
from nightmail_api.http.routing import ViewerRoute
from nightmail_api.read_model.day_counters import days_by_job, days_in_all

#: The days of one call: a year and the day on which it is asked for.
MAX_DAYS = 367
DEFAULT_DAYS = 30

viewer = APIRouter(route_class=ViewerRoute, tags=["runs"])
routers = (viewer,)

_moment: TypeAdapter[datetime] = TypeAdapter(QueryMoment)


def _day(value: object) -> object:
    """Return a day as it is, and for a moment its day in UTC."""
    if isinstance(value, str) and len(value) == len("2026-11-25"):
        return value
    return _moment.validate_python(value).astimezone(UTC).date()


#: A day in UTC.
Day = Annotated[date, BeforeValidator(_day)]


@viewer.get("/stats/days", response_model=DayCounterPage, responses=problems())
async def list_days(
    state: State,
    first: Annotated[
        Day | None, Query(alias="from", description="The first day, in UTC; the default is 30 days before `until`.")
    ] = None,
    until: Annotated[Day | None, Query(description="The last day, in UTC; the default is today.")] = None,
    job_name: Annotated[str | None, Query(max_length=128, description="Only counters of this job.")] = None,
    group_by: Annotated[
        Literal["job", "day"], Query(description="`day`: one item a day, over all jobs together.")
    ] = "job",
    limit: Limit = 500,
    cursor: Cursor = None,
) -> Response:
    """List what became of runs and mails by day and job, in order: a year at most. Days without any have no item."""
    last = until or datetime.now(UTC).date()
    begin = first or max(last, date.min + timedelta(DEFAULT_DAYS)) - timedelta(DEFAULT_DAYS)
    if last < begin:
        raise ValidationProblem(("until", "it is before `from`"))
    if last - begin >= timedelta(MAX_DAYS):
        raise ValidationProblem(("until", f"a call has at most {MAX_DAYS} days"))
    span = (begin.isoformat(), last.isoformat(), job_name)
    if group_by == "day":
        return page_response(await state.read(days_in_all, *span))
    return page_response(await state.read(days_by_job, *span, limit, cursor))
