"""Schedules: what one means, before a job has it."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from nightmail_api.http.dependencies import Api
from nightmail_api.http.problems import NotValid
from nightmail_api.http.routes.common import Moment, Viewer, json_response, problems
from nightmail_api.http.routing import Route
from nightmail_api.http.schedule_description import in_words
from nightmail_api.http.schemas import SchedulePreview
from nightmail_common.contract.schedule import Schedule, ScheduleError, TimezoneError

router = APIRouter(route_class=Route, tags=["schedules"])


@router.get("/schedules/preview", response_model=SchedulePreview, responses=problems())
async def preview_schedule(
    _: Viewer,
    api: Api,
    schedule_time: Annotated[str, Query(max_length=256, description="As in a job.", examples=["0 9 * * 1-5"])],
    timezone: Annotated[str | None, Query(max_length=128, description="IANA name.", examples=["Europe/Paris"])] = None,
    count: Annotated[int, Query(ge=1, le=100, description="How many due times.")] = 5,
    after: Annotated[Moment | None, Query(description="Strictly after this time; default is now.")] = None,
) -> Response:
    """Return when a schedule is due, in its zone, and the schedule in words; notes say what daylight saving time does."""
    try:
        schedule = Schedule.parse(schedule_time, timezone or api.default_timezone)
    except ScheduleError as error:
        raise NotValid("1 field is not valid", errors=[("schedule_time", str(error))]) from None
    except TimezoneError as error:
        raise NotValid("1 field is not valid", errors=[("timezone", str(error))]) from None
    due_times = list(islice(schedule.due_times(after or datetime.now(UTC)), count))
    notes = [note for due in due_times if (note := schedule.dst_note(due)) is not None]
    return json_response(
        {
            "schedule_time": schedule_time,
            "timezone": schedule.timezone,
            "description": in_words(schedule.cron),
            "next_runs": [due.isoformat() for due in due_times],
            "notes": [{"time": note.time.isoformat(), "dst": note.dst, "text": note.text} for note in notes],
        }
    )
