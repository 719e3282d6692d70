"""The next due times and the warnings of all jobs are found before a request needs them."""

from datetime import UTC, datetime, timedelta

import pytest

from api.conftest import Replica
from nightmail_api.http import serialization
from nightmail_api.read_model import warm_up
from nightmail_api.read_model.due_times import Span, due_times_of
from nightmail_common.contract.timetable import Timetable
from support.deadlines import eventually


async def test_a_replica_warms_up_without_a_request(api: Replica) -> None:
    for number in range(3):
        await api.create(job_name=f"job {number}", schedule_time=f"{number} 9 * * *")
    await api.create(job_name="paused", schedule_time="5 9 * * *")
    await api.http.post("/jobs/paused/pause")
    await api.stop()
    serialization._outlook_of.cache_clear()
    due_times_of.cache_clear()
    await api.start()

    async def warm() -> bool:
        return due_times_of.cache_info().currsize == 3

    await eventually(warm, "the timetables of the active jobs are known")
    assert serialization._outlook_of.cache_info().currsize == 3


async def test_what_is_warm_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    due = now + timedelta(hours=12)
    daily, minutely = f'[["{due.minute} {due.hour} * * *"],"UTC",null]', '[["* * * * *"],"UTC",null]'
    await warm_up.warm_up([daily, minutely])
    now = datetime.now(UTC)

    def computed(*_: object) -> None:
        raise AssertionError("it is computed again")

    monkeypatch.setattr(Timetable, "due_times", computed)
    monkeypatch.setattr(serialization, "schedule_warnings", computed)
    outlook = serialization._outlook_of(daily)
    assert outlook.next_run(now) != "null"
    assert outlook.warnings(now + timedelta(seconds=warm_up.WARM_UP_SECONDS), None) == "[]"
    assert len(list(due_times_of(daily).between(Span.of(now, now + timedelta(hours=23))))) == 1
