"""The preview of a schedule: its due times and notes on daylight saving time."""

from typing import Any

from api.conftest import Replica


async def test_due_times_that_daylight_saving_time_moves_or_repeats_are_marked(api: Replica) -> None:
    asked: dict[str, Any] = {"schedule_time": "30 2 * * *", "timezone": "Europe/Paris", "count": 2}
    spring = await api.http.get("/schedules/preview", params=asked | {"after": "2026-03-28T12:00:00Z"})
    assert spring.json()["next_runs"] == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    assert spring.json()["notes"] == [
        {
            "time": "2026-03-29T03:00:00+02:00",
            "dst": "moved",
            "text": "2026-03-29 02:30 does not exist; it runs right after the gap",
        }
    ]
    autumn = await api.http.get("/schedules/preview", params=asked | {"after": "2026-10-24T12:00:00Z"})
    assert [(note["time"], note["dst"]) for note in autumn.json()["notes"]] == [
        ("2026-10-25T02:30:00+02:00", "repeated")
    ]
    summer = await api.http.get("/schedules/preview", params=asked | {"after": "2026-07-01T12:00:00Z"})
    assert summer.json()["notes"] == []


async def test_at_the_end_of_the_calendar_there_are_fewer_due_times_or_none(api: Replica) -> None:
    asked: dict[str, Any] = {"schedule_time": "0 9 * * *", "timezone": "Asia/Tokyo", "count": 5}
    almost = await api.http.get("/schedules/preview", params=asked | {"after": "9999-12-30T12:00:00Z"})
    assert almost.json()["next_runs"] == ["9999-12-31T09:00:00+09:00"]
    after = await api.http.get("/schedules/preview", params=asked | {"after": "9999-12-31T23:59:59Z"})
    assert (after.status_code, after.json()["next_runs"]) == (200, [])
