"""The preview of a schedule: its due times and notes on daylight saving time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.conftest import Api
from nightmail_api.http.serialization import job_json
from nightmail_cli.commands.job_file import ANSWER_FIELDS
from support.job_requests import job_request


async def test_due_times_that_daylight_saving_time_moves_or_repeats_are_marked(shared_api: Api) -> None:
    asked: dict[str, Any] = {"schedule_time": "30 2 * * *", "timezone": "Europe/Paris", "count": 2}
    spring = await shared_api.http.get("/schedules/preview", params=asked | {"after": "2026-03-28T12:00:00Z"})
    assert spring.json()["next_runs"] == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    assert spring.json()["notes"] == [
        {
            "time": "2026-03-29T03:00:00+02:00",
            "dst": "moved",
            "text": "2026-03-29 02:30 does not exist; it runs right after the gap",
        }
    ]
    autumn = await shared_api.http.get("/schedules/preview", params=asked | {"after": "2026-10-24T12:00:00Z"})
    assert [(note["time"], note["dst"]) for note in autumn.json()["notes"]] == [
        ("2026-10-25T02:30:00+02:00", "repeated")
    ]
    summer = await shared_api.http.get("/schedules/preview", params=asked | {"after": "2026-07-01T12:00:00Z"})
    assert summer.json()["notes"] == []


async def test_a_day_without_a_run_because_of_daylight_saving_time_is_marked(shared_api: Api) -> None:
    asked: dict[str, Any] = {"schedule_time": "*/30 2 * * *", "timezone": "Europe/Berlin", "count": 2}
    spring = await shared_api.http.get("/schedules/preview", params=asked | {"after": "2026-03-28T12:00:00Z"})
    assert spring.json()["next_runs"] == ["2026-03-30T02:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    assert spring.json()["notes"] == [
        {
            "time": "2026-03-29T03:00:00+02:00",
            "dst": "skipped",
            "text": "2026-03-29 02:00 to 02:30 do not exist; it does not run then",
        }
    ]


async def test_at_the_end_of_the_calendar_there_are_fewer_due_times_or_none(shared_api: Api) -> None:
    asked: dict[str, Any] = {"schedule_time": "0 9 * * *", "timezone": "Asia/Tokyo", "count": 5}
    almost = await shared_api.http.get("/schedules/preview", params=asked | {"after": "9999-12-30T12:00:00Z"})
    assert almost.json()["next_runs"] == ["9999-12-31T09:00:00+09:00"]
    after = await shared_api.http.get("/schedules/preview", params=asked | {"after": "9999-12-31T23:59:59Z"})
    assert (after.status_code, after.json()["next_runs"]) == (200, [])


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("schedule_time", "*/90 * * * *", "larger than the field"),
        ("schedule_time", "0 9 * * FRI-MON", "write FRI,SAT,SUN,MON"),
        ("schedule_time", "at 2020-01-01 09:00", "has passed"),
        ("timezone", "Factory", "not an IANA time zone"),
        ("timezone", "europe/paris", "did you mean Europe/Paris?"),
    ],
)
async def test_the_preview_and_the_creation_of_a_job_refuse_the_same(
    shared_api: Api, field: str, value: str, reason: str
) -> None:
    schedule = {"schedule_time": "09:00", "timezone": "UTC", field: value}
    preview = await shared_api.http.get("/schedules/preview", params=schedule)
    created = await shared_api.http.post("/jobs/create", json=job_request(job_name="refused") | schedule)
    for answer in (preview, created):
        assert answer.status_code == 400
        assert [(error["field"], reason in error["detail"]) for error in answer.json()["errors"]] == [(field, True)]


async def test_spaces_around_a_schedule_and_a_zone_are_trimmed(shared_api: Api) -> None:
    schedule = {"schedule_time": " 0 0 */10 * 1 ", "timezone": "Europe/Paris "}
    preview = (await shared_api.http.get("/schedules/preview", params=schedule)).json()
    assert (preview["schedule_time"], preview["timezone"]) == ("0 0 */10 * 1", "Europe/Paris")
    assert preview["description"] == "At 00:00, on days 1, 11, 21 and 31 of the month, and only on Monday"
    job = (await shared_api.http.post("/jobs/create", json=job_request(job_name="trimmed") | schedule)).json()
    assert (job["schedule_time"], job["timezone"]) == ("0 0 */10 * 1", "Europe/Paris")


async def test_a_job_whose_one_due_time_has_passed_may_change_otherwise(shared_api: Api) -> None:
    body = job_request(job_name="once") | {
        "schedule_time": f"at {datetime.now(UTC) + timedelta(days=1):%Y-%m-%d %H:%M}"
    }
    assert (await shared_api.http.post("/jobs/create", json=body)).json()["next_run"] is not None
    passed = await shared_api.http.put("/jobs/once", json=body | {"schedule_time": "at 2020-01-01 09:00"})
    assert passed.status_code == 400


async def test_a_job_has_its_schedule_in_the_words_of_the_preview(shared_api: Api) -> None:
    fields = {"schedules": ["0 7 * * 1-5", "0 12 * * 6"], "schedule_time": None, "calendar": {"country": "DE"}}
    words = "At 07:00, Monday through Friday; at 12:00, only on Saturday. Skipped on a holiday in Germany"
    created = (await shared_api.http.post("/jobs", json=job_request(job_name="in words", **fields))).json()
    assert created["schedule_description"] == words
    assert (await shared_api.http.post("/jobs/in words/pause")).json()["schedule_description"] == words
    again = await shared_api.http.put("/jobs/in words", json=created | {"status": "paused"})
    assert (again.status_code, again.json()["version"]) == (200, 1)
    definition = {
        name: value for name, value in created.items() if name not in ANSWER_FIELDS - {"schedule_description"}
    }
    assert (await shared_api.http.put("/jobs/in words", json=definition)).json()["version"] == 1
    [listed] = (await shared_api.http.get("/jobs", params={"q": "in words", "view": "summary"})).json()["items"]
    assert listed["schedule_description"] == words


async def test_a_job_has_warnings_about_its_schedules(shared_api: Api) -> None:
    await shared_api.create(job_name="usual")
    assert (await shared_api.http.get("/jobs/usual")).json()["warnings"] == []
    far = f"at {datetime.now(UTC).year + 2}-02-01 09:00"
    await shared_api.http.post("/jobs", json=job_request(job_name="rare", schedule_time=far))
    [warning] = (await shared_api.http.get("/jobs/rare")).json()["warnings"]
    assert warning["field"] == "schedule_time"
    assert "does not run within a year" in warning["detail"]
    assert (await shared_api.http.post("/jobs/rare/pause")).json()["warnings"] == []


def test_a_job_whose_last_run_took_longer_than_its_interval_has_a_warning() -> None:
    row = dict.fromkeys(("run_id", "started_at", "finished_at")) | {
        "definition": "{}",
        "status": "active",
        "timetable": '[["* * * * *"],"UTC",null]',
        "unsubscribed": "[]",
    }
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert '"warnings":[]' in job_json(row, now)
    run = dict.fromkeys(("trigger", "requested_at", "scheduled_at", "run_status", "rows", "error"), None)
    row |= run | {"run_id": "r", "started_at": "2026-11-25T11:00:00.000Z", "finished_at": "2026-11-25T11:01:15.000Z"}
    assert "the last run took 75 s, and a run is due every 60 s" in job_json(row, now)
