"""What a problem says of a field: what is wrong in plain words, what may be written instead, what was probably meant."""

from typing import Any

import pytest

from api.conftest import Api
from nightmail_api.http.field_errors import MAX_HINTS
from nightmail_common.contract.events import EVENTS
from support.job_requests import job_request

SOURCE = job_request()["data_source"]


async def errors_of(api: Api, request: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await api.http.post("/jobs", json=request)
    assert answer.status_code == 400, answer.text
    assert "Input" not in answer.text
    errors: list[dict[str, Any]] = answer.json()["errors"]
    return errors


def without(field: str, **fields: Any) -> dict[str, Any]:
    return {name: value for name, value in job_request(**fields).items() if name != field}


async def test_a_misspelt_field_is_one_error_that_names_the_field_that_was_meant(shared_api: Api) -> None:
    [error] = await errors_of(shared_api, without("job_name", job_nmae="daily sales"))
    assert (error["field"], error["nearest"]) == ("job_nmae", "job_name")
    assert error["detail"] == "there is no such field; did you mean job_name?"
    assert {"job_name", "schedule_time", "consumer_emails"} <= set(error["allowed"])


async def test_the_names_of_a_nested_object_are_those_of_that_object(shared_api: Api) -> None:
    source = {name: value for name, value in SOURCE.items() if name != "location"} | {"locaton": "https://example.com"}
    [error] = await errors_of(shared_api, job_request(data_source=source))
    assert (error["field"], error["nearest"]) == ("data_source.locaton", "location")
    assert "job_name" not in error["allowed"]


@pytest.mark.parametrize(
    ("fields", "field", "nearest", "allowed"),
    [
        ({"overlap": "skipp"}, "overlap", "skip", "allow"),
        ({"data_source": SOURCE | {"file_type": "cvs"}}, "data_source.file_type", "csv", "json"),
        ({"data_source": SOURCE | {"pagination": {"type": "curser"}}}, "data_source.pagination", "cursor", "link"),
        ({"attachments": ["xlxs"]}, "attachments.0", "xlsx", "csv"),
        ({"processing_script": "import nunpy\nreturn data"}, "processing_script", "numpy", "pandas"),
    ],
)
async def test_a_misspelt_value_has_the_nearest_one_and_all_that_are_allowed(
    shared_api: Api, fields: dict[str, Any], field: str, nearest: str, allowed: str
) -> None:
    [error] = await errors_of(shared_api, job_request(**fields))
    assert (error["field"], error["nearest"]) == (field, nearest)
    assert {nearest, allowed} <= set(error["allowed"])


@pytest.mark.parametrize("module", ["pathlib", "smtplib", "socket", "email.message", "psycopg"])
async def test_an_existing_module_that_a_script_may_not_import_is_no_misspelt_one(shared_api: Api, module: str) -> None:
    [error] = await errors_of(shared_api, job_request(processing_script=f"import {module}\nreturn data"))
    assert f"line 1: a script may not import '{module}'" in error["detail"]
    assert "did you mean" not in error["detail"]
    assert error.get("nearest") is None
    assert "pandas" in error["allowed"]


async def test_a_misspelt_time_zone_has_the_nearest_one(shared_api: Api) -> None:
    [error] = await errors_of(shared_api, job_request(timezone="Europe/Pariz"))
    assert (error["field"], error["nearest"]) == ("timezone", "Europe/Paris")


async def test_one_address_where_a_list_belongs_gets_the_list_as_a_hint(shared_api: Api) -> None:
    [error] = await errors_of(shared_api, job_request(consumer_emails="a@b.example"))
    assert error == {
        "field": "consumer_emails",
        "detail": "must be a list",
        "hint": 'write a list: ["a@b.example"]',
    }


@pytest.mark.parametrize(
    ("fields", "field", "detail"),
    [
        ({"consumer_emails": [1]}, "consumer_emails.0", "must be a text"),
        ({"consumer_emails": []}, "consumer_emails", "must not be empty"),
        ({"data_source": []}, "data_source", "must be an object"),
        (
            {"csv": {"float_format": "%d"}},
            "csv.float_format",
            "must be the format of a number with a point, such as %.2f, or %.0f for whole numbers",
        ),
        ({"data_source": SOURCE | {"auth": {"type": "bearer"}}}, "data_source.auth.token", "the field is required"),
        ({"split_by": "region", "recipients_by": {"values": 1}}, "recipients_by.values", "must be a list"),
        ({"split_by": "region", "recipients_by": {"N": [1]}}, "recipients_by.N.0", "must be a text"),
        ({"split_by": "region", "recipients_by": 1}, "recipients_by", "must be an object"),
        ({"data_source": SOURCE | {"timeout_seconds": 0}}, "data_source.timeout_seconds", "must be at least 1"),
        (
            {"data_source": SOURCE | {"comment": "##"}},
            "data_source.comment",
            "must be one printable ASCII character and no space, such as #",
        ),
        ({"retries": -1}, "retries", "must be at least 0"),
        ({"retries": 1.5}, "retries", "must be a whole number"),
        ({"job_name": 3}, "job_name", "must be a text"),
        ({"description": "x" * 50_000}, "description", "must have at most 4096 characters"),
        ({"data_source": SOURCE | {"headers": []}}, "data_source.headers", "must be an object"),
    ],
)
async def test_a_value_of_the_wrong_kind_is_described_in_plain_words(
    shared_api: Api, fields: dict[str, Any], field: str, detail: str
) -> None:
    [error] = await errors_of(shared_api, job_request(**fields))
    assert error == {"field": field, "detail": detail}


@pytest.mark.parametrize(
    ("path", "parameter", "nearest"),
    [
        ("/jobs?stauts=paused", "stauts", "status"),
        ("/jobs?status=pausd", "status", "paused"),
        ("/runs?status=delivred", "status", "delivered"),
        ("/events?type=run-failled", "type", "run-failed"),
        ("/events/stream?type=run-failled", "type", "run-failed"),
    ],
)
async def test_a_misspelt_parameter_status_or_event_type_has_the_nearest_one(
    shared_api: Api, path: str, parameter: str, nearest: str
) -> None:
    answer = await shared_api.http.get(path)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["field"], error["nearest"]) == (parameter, nearest)
    assert nearest in error["allowed"]


async def test_every_event_type_is_a_filter(shared_api: Api) -> None:
    for name in EVENTS:
        assert (await shared_api.http.get("/events", params={"type": name})).status_code == 200, name


async def test_a_taken_name_says_how_to_change_the_job(shared_api: Api) -> None:
    await shared_api.create()
    answer = await shared_api.http.post("/jobs", json=job_request())
    assert answer.status_code == 409
    [error] = answer.json()["errors"]
    assert (error["field"], error["detail"]) == ("job_name", "the name is taken")
    assert "PUT /jobs/{job_name}" in error["hint"]
    assert "nightmail jobs apply" in error["hint"]


async def test_a_body_with_thousands_of_misspelt_fields_is_refused_with_a_short_list(shared_api: Api) -> None:
    answer = await shared_api.http.post(
        "/jobs", json=job_request(**{f"job_nam{number}": 1 for number in range(20_000)})
    )
    assert answer.status_code == 400
    assert sum("allowed" in error for error in answer.json()["errors"]) <= MAX_HINTS
    assert len(answer.content) < 64 * 1024


async def test_the_pattern_of_a_tokens_name_is_said_in_words(shared_api: Api) -> None:
    answer = await shared_api.http.post("/tokens", json={"name": "a b", "role": "viewer"})
    [error] = answer.json()["errors"]
    assert error["field"] == "name"
    assert error["detail"].startswith("must have 1 to 64 letters, digits,")
