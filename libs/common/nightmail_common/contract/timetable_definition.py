"""The schedules and the calendar of a job as a user writes them. Creation and preview refuse the same."""

import re
from datetime import date
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic import model_validator as validate_model
from pydantic_core import PydanticCustomError

from nightmail_common.contract.business_calendar import check_country, check_subdivision
from nightmail_common.contract.job import Calendar
from nightmail_common.contract.limits import MAX_CALENDAR_DAYS, MAX_SCHEDULES
from nightmail_common.contract.schedule import check_schedule_time
from nightmail_common.contract.timezones import check_timezone

ScheduleTime = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(check_schedule_time)]
Schedules = Annotated[
    tuple[ScheduleTime, ...], Field(max_length=MAX_SCHEDULES), AfterValidator(lambda texts: tuple(dict.fromkeys(texts)))
]
Timezone = Annotated[str, AfterValidator(check_timezone)]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _check_date(value: Any) -> Any:
    # Pydantic would read a number as seconds since 1970.
    if not isinstance(value, date) and not (isinstance(value, str) and _DATE.fullmatch(value)):
        raise ValueError("a day is written as in 2026-12-24")
    return value


Day = Annotated[date, BeforeValidator(_check_date)]


class CalendarDefinition(Calendar, extra="forbid", frozen=True):
    """A calendar as a user writes it: a country, or days, or both."""

    country: Annotated[str, Field(max_length=64), AfterValidator(check_country)] | None = None
    subdivision: Annotated[str, Field(max_length=64)] | None = None
    days: Annotated[
        tuple[Day, ...], Field(max_length=MAX_CALENDAR_DAYS), AfterValidator(lambda days: tuple(sorted(set(days))))
    ] = ()

    @field_validator("subdivision")
    @classmethod
    def _is_in_the_country(cls, subdivision: str | None, info: ValidationInfo) -> str | None:
        country = info.data.get("country")
        if subdivision is None or (country is None and "country" not in info.data):
            return subdivision  # the country has its own error
        if country is None:
            raise ValueError("a subdivision goes with a country")
        return check_subdivision(country, subdivision)

    @validate_model(mode="after")
    def _has_holidays(self) -> Self:
        if self.country is None and not self.days:
            raise ValueError("a calendar has a country, or days, or both")
        return self


def require_schedule(schedule_time: str | None, info: ValidationInfo) -> str | None:
    """Validate `schedule_time`, behind `schedules`: a job has one of them.

    Raises:
        PydanticCustomError: it has none.
    """
    if schedule_time is None and info.data.get("schedules") == ():
        raise PydanticCustomError("missing", "Field required")
    return schedule_time


class TimetableDefinition(BaseModel, extra="forbid", frozen=True):
    """The part of a job that says when it is due.

    Raises:
        pydantic.ValidationError: one error per invalid field.
    """

    schedules: Schedules = ()
    schedule_time: Annotated[ScheduleTime | None, AfterValidator(require_schedule)] = Field(
        default=None, validate_default=True
    )
    timezone: Timezone
    calendar: CalendarDefinition | None = None
