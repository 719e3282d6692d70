"""Preview of a job's schedules: their due times and their description."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from pydantic_core import from_json

from nightmail_api.http.dependencies import State
from nightmail_api.http.problems import ValidationProblem
from nightmail_api.http.responses import json_response, problems
from nightmail_api.http.routes.parameters import QueryMoment
from nightmail_api.http.routing import ViewerRoute
from nightmail_api.http.schemas import SchedulePreview
from nightmail_common.contract.schedule_syntax import ScheduleError
from nightmail_common.contract.timetable import Timetable
from nightmail_common.contract.timetable_definition import TimetableDefinition

viewer = APIRouter(route_class=ViewerRoute, tags=["schedules"])
routers = (viewer,)


@viewer.get("/schedules/preview", response_model=SchedulePreview, responses=problems())
async def preview_schedule(
    state: State,
    schedules: Annotated[
        list[str],
        Query(default_factory=list, description="As in a job: more schedules, one for each time it is given."),
    ],
    schedule_time: Annotated[
        str | None, Query(max_length=256, description="As in a job.", examples=["0 9 * * 1-5"])
    ] = None,
    timezone: Annotated[str | None, Query(max_length=128, description="IANA name.", examples=["Europe/Paris"])] = None,
    calendar: Annotated[
        str | None, Query(max_length=4096, description="As in a job, as JSON.", examples=['{"country": "DE"}'])
    ] = None,
    count: Annotated[int, Query(ge=1, le=100, description="The number of due times.")] = 5,
    after: Annotated[
        QueryMoment | None, Query(description="Only due times after this time; the default is now.")
    ] = None,
) -> Response:
    """Return the due times of a job with these fields, its description, and notes on daylight saving time and holidays."""
    after = after or datetime.now(UTC)
    definition = _definition(
        schedule_time=schedule_time,
        schedules=schedules,
        timezone=timezone or state.default_timezone,
        calendar=None if calendar is None else _parsed(calendar),
    )
    timetable = Timetable.of(definition)
    try:
        timetable.check_not_passed(min(after, datetime.now(UTC)))
    except ScheduleError as error:
        field = "schedules" if definition.schedule_time is None else "schedule_time"
        raise ValidationProblem((field, str(error))) from None
    due_times = list(islice(timetable.runs(after), count))
    return json_response(
        definition.model_dump(mode="json")
        | {
            "description": timetable.description,
            "next_runs": [due.isoformat() for due in due_times],
            "notes": _notes(timetable, after, due_times),
        }
    )


def _definition(**fields: Any) -> TimetableDefinition:
    try:
        return TimetableDefinition.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None


def _parsed(calendar: str) -> Any:
    try:
        return from_json(calendar, allow_inf_nan=False)
    except ValueError as error:
        raise ValidationProblem(("calendar", f"not JSON: {error}")) from None


def _notes(timetable: Timetable, after: datetime, due_times: list[datetime]) -> list[dict[str, Any]]:
    """Return the notes on the due times that the answer has, and on those before its last one that it does not have."""
    changes = [note for due in due_times if (note := timetable.dst_note(due)) is not None]
    if due_times:
        changes += timetable.skipped_notes(after, due_times[-1])
    notes = [(note.time, {"dst": note.dst, "text": note.text}) for note in changes]
    if due_times:
        notes += [
            (note.time, {"calendar": note.calendar, "text": note.text})
            for note in timetable.calendar_notes(after, due_times[-1])
        ]
    notes.sort(key=lambda note: note[0].astimezone(UTC))
    return [{"time": time.isoformat()} | note for time, note in notes]
