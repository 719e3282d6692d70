"""Preview of a schedule: its due times and its description."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from nightmail_api.http.dependencies import State
from nightmail_api.http.problems import ValidationProblem
from nightmail_api.http.responses import json_response, problems
from nightmail_api.http.routes.parameters import Moment
from nightmail_api.http.routing import ViewerRoute
from nightmail_api.http.schemas import SchedulePreview
from nightmail_common.contract.schedule import (
    Schedule,
    ScheduleError,
    TimezoneError,
    check_schedule_time,
    check_timezone,
)

viewer = APIRouter(route_class=ViewerRoute, tags=["schedules"])
routers = (viewer,)


@viewer.get("/schedules/preview", response_model=SchedulePreview, responses=problems())
async def preview_schedule(
    state: State,
    schedule_time: Annotated[str, Query(max_length=256, description="As in a job.", examples=["0 9 * * 1-5"])],
    timezone: Annotated[str | None, Query(max_length=128, description="IANA name.", examples=["Europe/Paris"])] = None,
    count: Annotated[int, Query(ge=1, le=100, description="The number of due times.")] = 5,
    after: Annotated[Moment | None, Query(description="Only due times after this time; the default is now.")] = None,
) -> Response:
    """Return the due times of a schedule in its zone, its description, and notes on daylight saving time."""
    after = after or datetime.now(UTC)
    try:
        schedule_time = check_schedule_time(schedule_time)
        schedule = Schedule.parse(schedule_time, check_timezone(timezone or state.default_timezone))
        schedule.check_not_passed(min(after, datetime.now(UTC)))
    except ScheduleError as error:
        raise ValidationProblem(("schedule_time", str(error))) from None
    except TimezoneError as error:
        raise ValidationProblem(("timezone", str(error))) from None
    due_times = list(islice(schedule.due_times(after), count))
    notes = [note for due in due_times if (note := schedule.dst_note(due)) is not None]
    return json_response(
        {
            "schedule_time": schedule_time,
            "timezone": schedule.timezone,
            "description": schedule.description,
            "next_runs": [due.isoformat() for due in due_times],
            "notes": [{"time": note.time.isoformat(), "dst": note.dst, "text": note.text} for note in notes],
        }
    )
