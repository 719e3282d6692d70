"""The main job, from a request over REST to the mail: real nats-server, SMTP, HTTP and processes."""

import http.client
import json
from typing import Any

import pytest

from e2e.conftest import DataServer, Nightmail, attached_csv
from support.deadlines import scaled, wait_until

SALES = b"region,amount\nnorth,10\nsouth,5\nnorth,7\n"
TOTALS = b"region,amount\nnorth,17\nsouth,5\n"
ENDED = ("delivered", "failed", "undelivered")


def api_source(url: str, **more: str) -> dict[str, Any]:
    return {"source_type": "api", "location": url, "file_type": "csv"} | more


@pytest.fixture(scope="module", autouse=True)
def each_minute(nightmail: Nightmail, source: DataServer) -> None:
    """Create the job of the last test: its minute passes during the tests before."""
    url = source.serve("/each-minute.csv", SALES)
    nightmail.create(job_name="each minute", data_source=api_source(url), schedule_time="* * * * *")


def test_a_csv_from_an_api_becomes_a_report_in_every_recipients_mailbox(
    nightmail: Nightmail, source: DataServer
) -> None:
    url = source.serve("/sales.csv", SALES)
    emails = ["reports@example.com", "boss@example.com"]
    nightmail.create(job_name="daily sales", data_source=api_source(url), consumer_emails=emails)
    run_id = nightmail.run("daily sales")
    run = nightmail.run_when(run_id, *ENDED)
    assert (run["status"], run["rows"], run["trigger"], run["error"]) == ("delivered", 2, "manual", None)
    mails = nightmail.mails(run_id)
    assert {address for mail in mails for address in str(mail["X-Envelope-To"]).split(", ")} == set(emails)
    assert {attached_csv(mail) for mail in mails} == {TOTALS}
    assert nightmail.call("GET", f"/runs/{run_id}/result").content == TOTALS
    types = [event["type"] for event in run["timeline"]]
    assert [name for name in types if name != "input-kept"] == [
        "run-requested",
        "run-started",
        "result-ready",
        "mail-sent",
    ]
    job = nightmail.call("GET", "/jobs/daily%20sales").json()
    assert job["last_run"]["run_id"] == run_id
    assert job["last_run"]["status"] == "delivered"
    assert job["next_run"] is not None


@pytest.mark.parametrize(
    ("form", "script"),
    [
        ("return", "total = data.amount.sum()\nreturn pd.DataFrame({'total': [total]})"),
        ("result", "result = pd.DataFrame({'total': [data.amount.sum()]})"),
        ("process", "def process(data):\n    return pd.DataFrame({'total': [data.amount.sum()]})"),
    ],
)
def test_a_script_may_return_or_assign_or_define_process(
    nightmail: Nightmail, source: DataServer, form: str, script: str
) -> None:
    url = source.serve("/forms.csv", SALES)
    nightmail.create(job_name=f"form {form}", data_source=api_source(url), processing_script=script)
    run_id = nightmail.run(f"form {form}")
    assert nightmail.run_when(run_id, *ENDED)["status"] == "delivered"
    assert nightmail.call("GET", f"/runs/{run_id}/result").content == b"total\n22\n"


@pytest.mark.parametrize("kind", ["api", "file"])
@pytest.mark.parametrize("file_type", ["csv", "json"])
def test_data_comes_from_an_api_or_a_file_as_csv_or_json(
    nightmail: Nightmail, source: DataServer, kind: str, file_type: str
) -> None:
    records = [{"region": "north", "amount": 17}, {"region": "south", "amount": 5}]
    body = json.dumps({"items": records}).encode() if file_type == "json" else TOTALS
    where: dict[str, Any] = {"source_type": kind, "file_type": file_type}
    if file_type == "json":
        where["records_path"] = "items"
    if kind == "api":
        where["location"] = source.serve(f"/data.{file_type}", body)
    else:
        (nightmail.data_dir / "files" / f"data.{file_type}").write_bytes(body)
        where["location"] = f"data.{file_type}"
    nightmail.create(job_name=f"{kind} {file_type}", data_source=where, processing_script="return data")
    run_id = nightmail.run(f"{kind} {file_type}")
    run = nightmail.run_when(run_id, *ENDED)
    assert run["status"] == "delivered", run["error"]
    assert nightmail.call("GET", f"/runs/{run_id}/result").content == TOTALS


def test_a_failing_fetch_reaches_the_run_and_the_owner(nightmail: Nightmail, source: DataServer) -> None:
    url = source.serve("/gone.csv", b"gone", status=410)
    nightmail.create(job_name="gone", data_source=api_source(url))
    run_id = nightmail.run("gone")
    run = nightmail.run_when(run_id, *ENDED)
    assert (run["status"], run["error"]["stage"]) == ("failed", "fetch")
    assert "410" in run["error"]["message"]
    run = _with_failure_mail(nightmail, run_id)
    [mail] = nightmail.mails(run_id)
    assert "410" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert nightmail.call("GET", f"/runs/{run_id}/result").status_code == 404


def test_a_failing_script_is_reported_with_its_line(nightmail: Nightmail, source: DataServer) -> None:
    url = source.serve("/typo.csv", SALES)
    nightmail.create(
        job_name="typo", data_source=api_source(url), processing_script="print('so far')\nreturn data.amuont"
    )
    run_id = nightmail.run("typo")
    run = nightmail.run_when(run_id, *ENDED)
    assert (run["status"], run["error"]["stage"], run["error"]["type"]) == ("failed", "script", "AttributeError")
    assert "line 2" in run["error"]["traceback"]
    assert nightmail.call("GET", f"/runs/{run_id}/log").text == "so far\n"
    _with_failure_mail(nightmail, run_id)
    [mail] = nightmail.mails(run_id)
    assert "amuont" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_script_that_does_not_end_is_stopped_at_its_timeout(nightmail: Nightmail, source: DataServer) -> None:
    url = source.serve("/slow.csv", SALES)
    nightmail.create(
        job_name="slow", data_source=api_source(url), processing_script="while True: pass", timeout_seconds=1
    )
    run = nightmail.run_when(nightmail.run("slow"), *ENDED)
    assert (run["status"], run["error"]["stage"]) == ("failed", "script")
    assert "1 s" in run["error"]["message"]


def _with_failure_mail(nightmail: Nightmail, run_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        run: dict[str, Any] = nightmail.call("GET", f"/runs/{run_id}").json()
        # The input may be kept before or after the mail is sent.
        return run if "mail-sent" in {event["type"] for event in run["timeline"]} else None

    run: dict[str, Any] = wait_until(look, "the failure mail is sent")
    return run


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_sends_a_body_that_is_too_large_reads_the_refusal(nightmail: Nightmail, chunked: bool) -> None:
    body = b"x" * (40 * 1024 * 1024)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {nightmail.token}"}
    connection = http.client.HTTPConnection("127.0.0.1", nightmail.port, timeout=scaled(30))
    # Like most clients, it reads nothing before it has sent everything.
    connection.request("POST", "/jobs", iter([body]) if chunked else body, headers, encode_chunked=chunked)
    answer = connection.getresponse()
    assert answer.status == 413
    assert "at most 1048576 bytes" in json.loads(answer.read())["detail"]
    connection.close()


def test_a_job_fires_by_its_schedule(nightmail: Nightmail) -> None:
    def delivered() -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = nightmail.call("GET", "/jobs/each%20minute/runs").json()["items"]
        return [run for run in runs if run["status"] == "delivered"]

    [run, *_] = wait_until(delivered, "a scheduled run is delivered", seconds=70)
    assert run["trigger"] == "schedule"
    assert run["scheduled_at"].endswith(":00Z") or ":00+" in run["scheduled_at"]
    assert nightmail.call("DELETE", "/jobs/each%20minute").status_code == 204
