"""Valid and invalid job definitions: a refusal names the field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nightmail_common.contract.job_definition import (
    JobDefinition,
    normalise_email,
    normalise_job_name,
)
from nightmail_common.contract.limits import MAX_JOB_JSON_BYTES, MAX_SCRIPT_BYTES
from nightmail_common.contract.source_templates import secret_names
from support.job_requests import job_request

PASSWORD = "hunter2"


def api(location: str = "https://example.com/a.csv", **fields: Any) -> dict[str, Any]:
    return {"source_type": "api", "location": location, "file_type": "csv"} | fields


def stored(location: str = "a.csv", **fields: Any) -> dict[str, Any]:
    return {"source_type": "file", "location": location, "file_type": "csv"} | fields


def defined(**fields: Any) -> JobDefinition:
    return JobDefinition.model_validate(job_request(**fields))


def refusals(**fields: Any) -> dict[str, str]:
    """Return what is said of each field that cannot be."""
    with pytest.raises(ValidationError) as refused:
        defined(**fields)
    return {".".join(map(str, error["loc"])): error["msg"] for error in refused.value.errors()}


def nested(depth: int) -> list[Any]:
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("job_name", "", "1 to 128 characters"),
        ("job_name", "a" * 129, "has 129"),
        ("job_name", "a/b", "no '/'"),
        ("job_name", "a\nb", "no control characters"),
        ("job_name", "a\u2028b", "no control characters"),
        ("job_name", "daily ", "does not begin or end with a space"),
        ("job_name", "..", "URL path"),
        ("schedule_time", "", "at least 1 character"),
        ("schedule_time", "25:00", "neither five cron fields"),
        ("schedule_time", "61 * * * *", "bad value for minute"),
        ("timezone", "Mars/Olympus", "'Mars/Olympus' is not an IANA time zone"),
        ("timezone", "../../etc/passwd", "is not an IANA time zone"),
        ("processing_script", "", "at least 1 character"),
        ("processing_script", "x = 1\nreturn (", "line 2: '(' was never closed"),
        ("processing_script", "x = '\0'", "null bytes"),
        ("processing_script", "#" * 131_073, "at most 131072 bytes"),
        ("consumer_emails", [], "at least 1 item"),
        ("consumer_emails", [f"a{number}@example.com" for number in range(101)], "at most 100 items"),
        ("consumer_emails", ["a@example.com", "nobody"], "'nobody' is not an e-mail address"),
        ("timeout_seconds", 0, "greater than or equal to 1"),
        ("timeout_seconds", True, "a whole number, not True"),
        ("timeout_seconds", "60", "a whole number, not '60'"),
        ("timeout_seconds", 1.5, "a valid integer"),
        ("max_lateness_seconds", -1, "greater than or equal to 0"),
        ("retries", 11, "less than or equal to 10"),
        ("on_missed", "never", "'run_once' or 'skip'"),
        ("overlap", "queue", "'allow' or 'skip'"),
        ("when_empty", "never", "'send' or 'skip'"),
        ("attachments", [], "at least 1 item"),
        ("processing_script", " \n# later", "the script is blank"),
        ("csv_formulas", "drop", "'neutralise' or 'keep'"),
        ("notify_on_failure", "yes", "a valid boolean"),
        ("timezon", "UTC", "not permitted"),
        ("message", "{% for x in columns %}x{% endfor %}", "a message has no For in it"),
        ("message", "{{ secret }}", "a message knows job_name, scheduled_at, rows, columns, split_value, not 'secret'"),
        ("message", "x" * 8_193, "at most 8192 characters"),
        ("sender_name", "a\r\nBcc: b@example.com", "one line"),
        ("sender_name", " ", "not blank"),
        ("sender_name", "x" * 65, "at most 64 characters"),
        ("reply_to", "nobody", "'nobody' is not an e-mail address"),
        ("reply_to", "jörg@example.com", "ASCII characters only"),
        ("cc", ["a@example.com", "nobody"], "'nobody' is not an e-mail address"),
        ("cc", ["jörg@example.com"], "ASCII characters only"),
        ("bcc", ["nobody"], "'nobody' is not an e-mail address"),
        ("bcc", [f"a{number}@example.com" for number in range(100)], "at most 100 addresses together"),
        ("failure_emails", ["nobody"], "'nobody' is not an e-mail address"),
    ],
)
def test_an_invalid_field_is_named_with_the_reason(field: str, value: Any, why: str) -> None:
    [(named, message)] = refusals(**{field: value}).items()
    assert named == field
    assert why in message


@pytest.mark.parametrize(
    ("fields", "named", "why"),
    [
        ({"attachments": ["pdf"]}, "attachments.0", "'csv' or 'xlsx'"),
        ({"csv": {"decimal": ","}}, "csv.decimal", "decimal is another mark than delimiter"),
        ({"csv": {"delimiter": "x"}}, "csv.delimiter", "Input should be"),
        ({"csv": {"float_format": "%d and %s"}}, "csv.float_format", "match pattern"),
        ({"csv": {"float_format": "%999999f"}}, "csv.float_format", "match pattern"),
        ({"csv": {"quote": "'"}}, "csv.quote", "not permitted"),
    ],
)
def test_a_file_that_cannot_be_written_so_is_refused(fields: dict[str, Any], named: str, why: str) -> None:
    assert why in refusals(**fields)[named]


@pytest.mark.parametrize(
    ("source", "field", "why"),
    [
        (api("ftp://example.com/a"), "location", "an http:// or https:// URL"),
        (api("https://"), "location", "an http:// or https:// URL"),
        (api("http://a b/"), "location", "an http:// or https:// URL"),
        (api("https://example.com/my sales.csv"), "location", "a space is %20"),
        (api("https://example.com/sales.csv\n"), "location", "without spaces and line breaks"),
        (stored("./sales.csv"), "location", "no empty part, no '.'"),
        (stored("sales//2026.csv"), "location", "no empty part"),
        (stored("sales/"), "location", "no empty part"),
        (stored("file:///sales.csv"), "location", "no empty part"),
        (stored("x" * 513), "location", "1 to 512 bytes"),
        (api(f"https://me:{PASSWORD}@example.com/"), "location", "no user or password in the URL"),
        (api(f"https://me:{PASSWORD}@example.com:99999/"), "location", "host or port cannot be read"),
        (api(f"https://me:{PASSWORD}/@example.com/"), "location", "host or port cannot be read"),
        (api(f"https://me:{PASSWORD}@[example.com/"), "location", "host or port cannot be read"),
        (api(f"https://me:{PASSWORD}@℀.example/"), "location", "host or port cannot be read"),
        (api("a" * 4097), "location", "at most 4096 characters"),
        (api("https://{{ secrets.KEY }}.example.com/"), "location", "is not understood here"),
        (api("https://{{ scheduled_at | date('%d') }}.example.com/"), "location", "the host of the URL have no"),
        (api("https://example.com/{{ secrets.KEY }}"), "location", "is not understood here"),
        (
            api("https://{{ now }}.example.com/"),
            "location",
            "'{{ now }}' is not understood here; nothing in braces may stand",
        ),
        (
            api("https://example.com/{{ now }}"),
            "location",
            "'{{ now }}' is not understood here; only {{ scheduled_at |",
        ),
        (api("https://example.com/?a={{ now }}"), "location", "only {{ secrets.NAME }}, {{ scheduled_at |"),
        (api(params={"{{ now }}": "a"}), "params", "nothing in braces may stand here"),
        (api("https://example.com/?a={{ now }}"), "location", "'{{ now }}' is not understood here"),
        (api("https://example.com/{{ scheduled_at | date('%Q') }}"), "location", "'%Q' is not one of"),
        (api("https://example.com/{{ scheduled_at }}"), "location", "is not understood here"),
        (stored("{{ secrets.KEY }}"), "location", "is not understood here"),
        (stored("{{ scheduled_at | date('%Y') }}/../a"), "location", "a path below NIGHTMAIL_DATA_DIR/files"),
        (api(method="PUT"), "method", "'GET' or 'POST'"),
        (api(body="x"), "body", "body goes with method 'POST' only"),
        (api(method="POST", body={"a": ["{{ now }}"]}), "body", "'{{ now }}' is not understood here"),
        (api(method="POST", body="x" * 65_536), "body", "at most 65536 bytes"),
        (api(method="POST", body=nested(40)), "body", "at most 32 deep"),
        (api(method="POST", body=[float("nan")]), "body", "not JSON compliant"),
        (api(method="POST", body=[{"a": {"{{ secrets.KEY }}": 1}}]), "body", "is not understood here"),
        (api(params={"a": "{{ secrets.a.b }}"}), "params", "is not understood here"),
        (api(params={"{{ secrets.KEY }}": "a"}), "params", "is not understood here"),
        (stored(params={"a": "b"}), "params", "source_type 'api' only"),
        (api(auth={"type": "bearer", "token": f"{PASSWORD}\n"}), "auth", "the value of 'Authorization' has characters"),
        (api(auth={"type": "bearer", "token": "{{ secrets }}"}), "auth", "token: '{{ secrets }}' is not understood"),
        (api(auth={"type": "bearer", "token": "a", "scope": "b"}), "auth", "type 'bearer' has no field 'scope'"),
        (api(auth={"type": "header", "name": "Host", "value": PASSWORD}), "auth", "is set by the HTTP client"),
        (api(auth={"type": "bearer", "token": "a"}, headers={"authorization": "b"}), "auth", "both set Authorization"),
        (stored(auth={"type": "bearer", "token": "a"}), "auth", "source_type 'api' only"),
        (api(pagination={"type": "pages"}), "pagination", "does not match any of the expected tags"),
        (api(pagination={"type": "link", "path": "next"}), "pagination", "type 'link' has no field 'path'"),
        (api(pagination={"type": "cursor", "path": "next"}), "pagination", "'csv' goes with 'link', 'page' only"),
        (api(pagination={"type": "link"}, skip_rows=1), "pagination", "without skip_rows and comment only"),
        (api(pagination={"type": "page"}, file_type="xlsx"), "pagination", "'xlsx' has no pages"),
        (stored(pagination={"type": "link"}), "pagination", "source_type 'api' only"),
        (api(timeout_seconds=0), "timeout_seconds", "greater than or equal to 1"),
        (stored(timeout_seconds=5), "timeout_seconds", "source_type 'api' and 'sql' only"),
        (stored("/etc/passwd"), "location", "a path below NIGHTMAIL_DATA_DIR/files"),
        (stored("a/../../b"), "location", "a path below NIGHTMAIL_DATA_DIR/files"),
        (stored("a\0b"), "location", "a path below NIGHTMAIL_DATA_DIR/files"),
        (stored(headers={"Accept": "text/csv"}), "headers", "source_type 'api' only"),
        (api(headers={"X Key": PASSWORD}), "headers", "'X Key' is not the name"),
        (api(headers={"X-Key": f"{PASSWORD}\r\nHost: other"}), "headers", "the value of 'X-Key' has characters"),
        (api(headers={"X-Key": f"{PASSWORD} é"}), "headers", "the value of 'X-Key' has characters"),
        (api(headers={"X-Key": f" {PASSWORD}"}), "headers", "the value of 'X-Key' has characters"),
        (api(headers={"X-Key": f"{PASSWORD} {{{{ env.HOME }}}}"}), "headers", "only {{ secrets.NAME }}"),
        (api(headers={"X-Key": "a" * 16_384}), "headers", "at most 16384 bytes"),
        (api(records_path="items"), "records_path", "file_type 'json' only"),
        (api(file_type="json", delimiter=";"), "delimiter", "delimiter goes with file_type 'csv' only"),
        (
            api(file_type="xlsx", encoding="latin-1"),
            "encoding",
            "encoding goes with file_type 'csv', 'tsv', 'json', 'jsonl' only",
        ),
        (api(delimiter="\n"), "delimiter", "match pattern"),
        (api(delimiter="||"), "delimiter", "at most 1 character"),
        (api(encoding="utf-9"), "encoding", "'utf-9' is not the name of a text encoding"),
        (api(encoding="base64"), "encoding", "'base64' is not the name of a text encoding"),
        (api(encoding="a\0b"), "encoding", "is not the name of a text encoding"),
        (api(file_type="ods"), "file_type", "'xlsx' or 'parquet'"),
        (api() | {"source_type": "ftp"}, "source_type", "'api', 'file' or 'sql'"),
    ],
)
def test_an_invalid_data_source_is_an_error_that_names_the_field_and_shows_no_secret(
    source: dict[str, Any], field: str, why: str
) -> None:
    [(named, message)] = refusals(data_source=source).items()
    assert named == f"data_source.{field}"
    assert why in message
    assert PASSWORD not in message


@pytest.mark.parametrize(
    ("options", "field", "why"),
    [
        ({"file_type": "csv", "thousands": "."}, "thousands", "with thousands '.', decimal is usually ','"),
        ({"file_type": "csv", "delimiter": "#", "comment": "#"}, "comment", "another mark than delimiter"),
        ({"file_type": "csv", "encoding": "unicode_escape"}, "encoding", "not the name of a text encoding"),
        ({"file_type": "csv", "encoding": "IDNA"}, "encoding", "not the name of a text encoding"),
        (
            {"file_type": "xlsx", "sheet": "{{ scheduled_at | date('%Y') }}"},
            "sheet",
            "nothing in braces may stand here",
        ),
        ({"records_path": "{{ secrets.A }}"}, "records_path", "nothing in braces may stand here"),
        ({"pagination": {"type": "cursor", "path": "{{ a }}"}}, "pagination", "nothing in braces may stand here"),
        (
            {"pagination": {"type": "page"}, "params": {"page": 3}},
            "pagination",
            "sets 'page' to 3, but its pages begin at start 1",
        ),
        (
            {"pagination": {"type": "page"}, "location": "https://x.example/a?page=0"},
            "pagination",
            "sets 'page' to '0'",
        ),
        (
            {"pagination": {"type": "offset"}, "method": "POST", "body": {"offset": 100}},
            "pagination",
            "sets 'offset' to 100, but its pages begin at start 0",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], field: str, why: str) -> None:
    source = {"source_type": "api", "location": "https://x.example/a", "file_type": "json"} | options
    [(named, message)] = refusals(data_source=source).items()
    assert named == f"data_source.{field}"
    assert why in message


@pytest.mark.parametrize(
    "options",
    [
        {"pagination": {"type": "page"}, "params": {"page": 1}},
        {"pagination": {"type": "page", "start": 3}, "location": "https://x.example/a?page=3"},
        {"pagination": {"type": "page"}, "method": "POST", "body": {"page": None}},
        {"pagination": {"type": "cursor", "path": "next"}, "params": {"cursor": "a"}},
        {"file_type": "csv", "delimiter": ",", "decimal": ","},
        {"file_type": "csv", "encoding": "utf-7"},
    ],
)
def test_options_that_agree_are_accepted(options: dict[str, Any]) -> None:
    source = {"source_type": "api", "location": "https://x.example/a", "file_type": "json"} | options
    assert defined(data_source=source)


def test_the_path_of_a_file_is_no_url() -> None:
    [(named, message)] = refusals(data_source=stored("https://x.example/a.csv")).items()
    assert (named, "source_type 'api'" in message) == ("data_source.location", True)


def test_the_scheme_and_the_host_of_a_url_have_any_case() -> None:
    source = api("HTTPS://Example.com/Sales.csv")
    assert defined(data_source=source).data_source.location == "HTTPS://Example.com/Sales.csv"


def test_all_invalid_fields_are_reported_at_once() -> None:
    wrong = refusals(job_name="a/b", retries=-1, data_source=stored("../a", delimiter=""), consumer_emails=[])
    assert set(wrong) == {"job_name", "retries", "data_source.location", "data_source.delimiter", "consumer_emails"}


@pytest.mark.parametrize("field", ["job_name", "schedule_time", "data_source", "processing_script", "consumer_emails"])
def test_a_missing_required_field_is_named(field: str) -> None:
    request = job_request()
    del request[field]
    with pytest.raises(ValidationError) as refused:
        JobDefinition.model_validate(request)
    [error] = refused.value.errors()
    assert (error["loc"], error["msg"]) == ((field,), "Field required")


@pytest.mark.parametrize("name", ["Umsatz für März", "日報", "100% .*>", "a.b", "👩‍💻", "x" * 128])
def test_a_name_may_have_any_letters_and_spaces(name: str) -> None:
    assert defined(job_name=name).job_name == name


@given(st.text(max_size=130))
def test_a_name_has_one_spelling_or_is_refused(name: str) -> None:
    try:
        normalised = normalise_job_name(name)
    except ValueError:
        return
    assert normalise_job_name(normalised) == normalised


def test_two_spellings_of_one_name_are_one_name() -> None:
    assert normalise_job_name("Cafe\u0301") == normalise_job_name("Caf\u00e9")


@pytest.mark.parametrize("address", ["root@localhost", "ops@mail.local", "team@corp", "name@example.com"])
def test_people_on_this_machine_and_network_get_mail_too(address: str) -> None:
    assert normalise_email(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a b@example.com", "a@b@c", "a@example.com\nBcc: b@example.com", "a@", "A <a@example.com>"],
)
def test_an_invalid_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        normalise_email(address)


def test_an_address_that_is_too_long_names_the_limit() -> None:
    with pytest.raises(ValueError, match="at most 254 characters, this one has 255"):
        normalise_email(f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 58}.com")


def test_an_address_that_is_listed_twice_is_one_recipient() -> None:
    addresses = ["b@example.com", "a@EXAMPLE.com", "b@Example.Com", "a@example.com"]
    assert defined(consumer_emails=addresses).consumer_emails == ("b@example.com", "a@example.com")


def test_optional_fields_have_defaults() -> None:
    request = job_request()
    del request["timezone"]
    job = JobDefinition.model_validate(request)
    assert (job.timezone, job.on_missed, job.overlap, job.retries) == ("UTC", "run_once", "skip", 0)
    assert (job.max_lateness_seconds, job.timeout_seconds, job.notify_on_failure) == (86_400, None, True)
    assert (job.csv_formulas, job.when_empty, job.subject) == ("neutralise", "send", None)


def test_the_zone_of_the_settings_is_for_jobs_that_name_none() -> None:
    request = job_request()
    assert JobDefinition.model_validate(request).with_timezone_default("Asia/Tokyo").timezone == "Europe/Paris"
    del request["timezone"]
    assert JobDefinition.model_validate(request).with_timezone_default("Asia/Tokyo").timezone == "Asia/Tokyo"


def test_a_zone_that_is_another_on_every_machine_is_refused() -> None:
    for name in ("localtime", "right/Europe/Paris", "posix/UTC"):
        assert "is not an IANA time zone" in refusals(timezone=name)["timezone"]


@pytest.mark.parametrize(
    "source",
    [
        {"location": "https://example.com/a?key={{ secrets.CRM }}&day={{ scheduled_at | date('%Y-%m-%d') }}"},
        {"location": 'https://example.com/{{last_success_at|date("%Y/%m/%d?")}}.csv'},
        {"location": "{{ scheduled_at | date('%Y-%m-%d') }}.csv", "source_type": "file"},
    ],
)
def test_known_templates_are_accepted(source: dict[str, Any]) -> None:
    assert defined(data_source=api() | source).data_source.location == source["location"]


def test_the_secrets_of_a_header_are_found() -> None:
    assert secret_names("Bearer {{ secrets.KEY }}:{{secrets.OTHER}}") == ["KEY", "OTHER"]


@pytest.mark.parametrize(
    "name", ["Host", "transfer-encoding", "Content-Length", "Connection", "TE", "Proxy-Authorization", "Expect"]
)
def test_a_header_that_the_http_client_sets_is_refused(name: str) -> None:
    message = refusals(data_source=api(headers={name: PASSWORD}))["data_source.headers"]
    assert f"{name!r} is set by the HTTP client" in message
    assert PASSWORD not in message


def test_a_job_that_would_not_fit_its_events_is_refused() -> None:
    script = "return data#" + "\x01" * (MAX_SCRIPT_BYTES - 12)
    JobDefinition.model_validate(job_request(processing_script=script))
    types = {f"{number:04}" + "\x01" * 20: "text" for number in range(1000)}
    [message] = refusals(processing_script=script, data_source=stored(types=types)).values()
    assert f"at most {MAX_JOB_JSON_BYTES} are allowed" in message
