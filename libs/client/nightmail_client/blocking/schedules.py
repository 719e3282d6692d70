"""Schedules: their due times, future and past."""

import json
from collections.abc import Mapping, Sequence

from nightmail_client.blocking.transport import Calls
from nightmail_client.records import SchedulePreviewRecord, SlotRecord
from nightmail_client.requests import without_none


class ScheduleCalls(Calls):
    """The calls about time."""

    def preview(
        self,
        schedule_time: str | None = None,
        timezone: str | None = None,
        *,
        schedules: Sequence[str] = (),
        calendar: Mapping[str, object] | None = None,
        count: int | None = None,
        after: str | None = None,
    ) -> SchedulePreviewRecord:
        """Return the next due times of a job with these fields, in words too."""
        as_json = None if calendar is None else json.dumps(calendar)
        query = without_none(schedule_time=schedule_time, timezone=timezone, calendar=as_json, count=count, after=after)
        params = query | {"schedules": [*schedules]}
        return self._transport.json(SchedulePreviewRecord, "GET", "/schedules/preview", params=params)

    def slots(self, since: str, until: str, *, job_name: str | None = None) -> list[SlotRecord]:
        """Return the due times of a span of at most 31 days, past and future, and what became of each."""
        query = without_none(**{"from": since, "until": until, "job_name": job_name})
        return (self._transport.json(dict[str, list[SlotRecord]], "GET", "/slots", params=query))["items"]
