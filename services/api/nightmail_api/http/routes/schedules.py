"""Preview of a schedule: its due times and its description."""

from datetime import UTC, datetime
from functools import lru_cache
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
from nightmail_common.contract.schedule import Schedule, ScheduleError, TimezoneError

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
    try:
        schedule = Schedule.parse(schedule_time, timezone or state.default_timezone)
    except ScheduleError as error:
        raise ValidationProblem(("schedule_time", str(error))) from None
    except TimezoneError as error:
        raise ValidationProblem(("timezone", str(error))) from None
    due_times = list(islice(schedule.due_times(after or datetime.now(UTC)), count))
    notes = [note for due in due_times if (note := schedule.dst_note(due)) is not None]
    return json_response(
        {
            "schedule_time": schedule_time,
            "timezone": schedule.timezone,
            "description": _description(schedule.cron),
            "next_runs": [due.isoformat() for due in due_times],
            "notes": [{"time": note.time.isoformat(), "dst": note.dst, "text": note.text} for note in notes],
        }
    )


@lru_cache(maxsize=1024)
def _description(cron: str) -> str:
    """Return five cron fields as an English sentence: `At 09:00, Monday through Friday`."""
    # Imported here, because it takes 0.5 MB that an API without previews does not need.
    from cron_descriptor import ExpressionDescriptor, Options  # type: ignore[import-untyped]

    options = Options()
    options.use_24hour_time_format = True
    options.day_of_week_start_index_zero = True
    return str(ExpressionDescriptor(cron, options).get_full_description())
