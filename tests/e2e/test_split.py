"""A report that is split: five hundred mails of one script run, each with the rows of its recipient only."""

import csv
import io
from typing import Any

import httpx
import openpyxl
import pytest
import yaml

from e2e.conftest import DataServer, Nightmail, attached_csv
from support.deadlines import wait_until
from support.job_requests import schedule_in_half_a_year

SLICES = 500
XLSX_SLICES = 20
COLUMNS = ["region", "manager", "order", "secret"]
ENDED = ("delivered", "failed", "undelivered")


def orders(slices: int, rows_each: int = 3) -> bytes:
    """Return rows of all regions, mixed; each secret names the region of its row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for order in range(rows_each * slices):
        region = order % slices
        writer.writerow([f"region {region}", f"manager-{region}@example.com", order, f"secret-{region}."])
    return text.getvalue().encode()


def api_source(url: str) -> dict[str, Any]:
    return {"source_type": "api", "location": url, "file_type": "csv"}


def run_with_all_mails(nightmail: Nightmail, run_id: str) -> dict[str, Any] | None:
    run: dict[str, Any] = nightmail.call("GET", f"/runs/{run_id}").json()
    return run if len(run["mails"]) == SLICES else None


def test_five_hundred_recipients_get_their_rows_from_one_script_run(nightmail: Nightmail, source: DataServer) -> None:
    nightmail.create(
        job_name="orders by region",
        data_source=api_source(source.serve("/orders.csv", orders(SLICES))),
        processing_script="print('the script runs')\nreturn data",
        split_by="region",
        recipients_by="manager",
        subject="{{ rows }} orders of {{ split_value }}",
    )
    run_id = nightmail.run("orders by region")
    run = nightmail.run_when(run_id, *ENDED, seconds=120)
    assert (run["status"], run["rows"], run["slices"], run["attempts"]) == ("delivered", 3 * SLICES, SLICES, 1), run
    assert nightmail.call("GET", f"/runs/{run_id}/log").text == "the script runs\n"
    assert nightmail.call("GET", f"/runs/{run_id}/result").content == orders(SLICES)

    mails = {str(mail["To"]): mail for mail in nightmail.mails(run_id)}
    assert len(nightmail.mails(run_id)) == len(mails) == SLICES
    for region in range(SLICES):
        mail = mails[f"manager-{region}@example.com"]
        assert mail["X-Envelope-To"] == mail["To"]
        assert mail["Subject"] == f"3 orders of region {region}"
        header, *rows = csv.reader(io.StringIO(attached_csv(mail).decode()))
        assert header == COLUMNS
        assert rows == [
            [f"region {region}", f"manager-{region}@example.com", str(order), f"secret-{region}."]
            for order in range(region, 3 * SLICES, SLICES)
        ]
        shown = "".join(part.get_content() for part in mail.walk() if part.get_content_maintype() == "text")
        assert shown.count("secret-") == shown.count(f"secret-{region}.")

    run = wait_until(lambda: run_with_all_mails(nightmail, run_id), "the API has read the events of all mails")
    assert len({mail["message_id"] for mail in run["mails"]}) == SLICES
    assert {(mail["split_value"], mail["address"], mail["outcome"]) for mail in run["mails"]} == {
        (f"region {region}", f"manager-{region}@example.com", "accepted") for region in range(SLICES)
    }
    digests = {one["value"]: one["sha256"] for one in nightmail.call("GET", f"/runs/{run_id}/slices").json()["items"]}
    events = nightmail.call("GET", f"/events?run_id={run_id}&type=mail-sent&limit=1000").json()["items"]
    assert {event["data"]["split_value"]: event["data"]["attachment_sha256"] for event in events} == digests
    ledger = nightmail.call("GET", "/mails?recipient=manager-7@example.com").json()["items"]
    assert [(mail["split_value"], mail["outcome"]) for mail in ledger] == [("region 7", "accepted")]

    answer = nightmail.call("POST", f"/runs/{run_id}/resend", json={"recipients": ["manager-7@example.com"]})
    assert answer.status_code == 202, answer.text
    again = nightmail.mails_when(run_id, SLICES + 1)
    first = {mail["Message-ID"] for mail in mails.values()}
    [second] = [mail for mail in again if mail["Message-ID"] not in first]
    assert (second["To"], attached_csv(second)) == (
        "manager-7@example.com",
        attached_csv(mails["manager-7@example.com"]),
    )


def test_the_workbooks_of_slices_have_their_own_rows(nightmail: Nightmail, source: DataServer) -> None:
    nightmail.create(
        job_name="workbooks by region",
        data_source=api_source(source.serve("/workbooks.csv", orders(XLSX_SLICES))),
        processing_script="return data",
        split_by="region",
        recipients_by={f"region {region}": [f"manager-{region}@example.com"] for region in range(XLSX_SLICES)},
        attachments=["csv", "xlsx"],
    )
    run_id = nightmail.run("workbooks by region")
    assert nightmail.run_when(run_id, *ENDED)["status"] == "delivered"
    mails = {str(mail["To"]): mail for mail in nightmail.mails(run_id)}
    assert len(mails) == XLSX_SLICES
    for region in range(XLSX_SLICES):
        attached = {
            part.get_content_subtype(): part for part in mails[f"manager-{region}@example.com"].iter_attachments()
        }
        [workbook] = [part.get_payload(decode=True) for kind, part in attached.items() if kind.endswith("sheet")]
        assert isinstance(workbook, bytes)
        sheet = openpyxl.load_workbook(io.BytesIO(workbook)).active
        assert sheet is not None
        assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
            COLUMNS,
            *(
                [f"region {region}", f"manager-{region}@example.com", order, f"secret-{region}."]
                for order in range(region, 3 * XLSX_SLICES, XLSX_SLICES)
            ),
        ]


@pytest.mark.parametrize(
    ("recipients_by", "said"),
    [
        ({"region 0": ["a@example.com"]}, "recipients_by has no recipients for 'region 1' of the column 'region'"),
        ("secret", "the column 'secret': 'secret-0.' is not an e-mail address"),
    ],
    ids=["no recipients", "no address"],
)
def test_a_slice_that_cannot_be_mailed_fails_the_run_and_nothing_is_mailed_but_the_failure(
    nightmail: Nightmail, source: DataServer, recipients_by: Any, said: str
) -> None:
    name = f"failing split by {'a column' if isinstance(recipients_by, str) else 'value'}"
    nightmail.create(
        job_name=name,
        data_source=api_source(source.serve("/failing.csv", orders(2))),
        processing_script="return data",
        split_by="region",
        recipients_by=recipients_by,
        consumer_emails=["owner@example.com"],
    )
    run = nightmail.run_when(nightmail.run(name), *ENDED)
    assert run["status"] == "failed"
    assert run["error"]["stage"] == "output"
    assert run["error"]["message"].startswith(said)
    [mail] = nightmail.mails_when(run["run_id"], 1)
    assert mail["To"] == "owner@example.com"
    assert not list(mail.iter_attachments())


def test_a_preview_says_that_a_slice_has_no_recipients(nightmail: Nightmail, source: DataServer) -> None:
    url = source.serve("/preview.csv", orders(2))
    body = {
        "job_name": "preview of a split",
        "schedule_time": schedule_in_half_a_year(),
        "data_source": api_source(url),
        "processing_script": "return data",
        "consumer_emails": ["owner@example.com"],
        "split_by": "region",
        "recipients_by": {"region 0": ["a@example.com"]},
    }
    answer = nightmail.call("POST", "/jobs/preview", json=body).json()
    assert answer["error"]["stage"] == "output"
    assert "'region 1'" in answer["error"]["message"]


def test_a_split_job_is_pulled_and_applied_unchanged(nightmail: Nightmail) -> None:
    fields = {"split_by": "region", "recipients_by": {"north, süd": ["n@example.com"], "1": ["s@example.com"]}}
    nightmail.create(job_name="pulled split", **fields)
    folder = nightmail.log.parent / "pulled"
    pulled = nightmail.command_line("jobs", "pull", "pulled split", "-o", folder)
    assert pulled.returncode == 0, pulled.stderr
    [file] = folder.glob("*.yaml")
    assert {name: value for name, value in yaml.safe_load(file.read_text()).items() if name in fields} == fields
    applied = nightmail.command_line("jobs", "apply", "-f", folder)
    assert applied.returncode == 0, applied.stderr
    assert "unchanged" in applied.stdout
    job = nightmail.call("GET", "/jobs/pulled%20split").json()
    assert ({name: job[name] for name in fields}, job["version"]) == (fields, 1)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"split_by": "region"}, "recipients_by"),
        ({"recipients_by": "manager"}, "recipients_by"),
        ({"split_by": "region", "recipients_by": "manager", "cc": ["a@example.com"]}, "split_by"),
        ({"split_by": "region", "recipients_by": "manager", "bcc": ["a@example.com"]}, "split_by"),
        ({"split_by": "region", "recipients_by": "manager", "compare_by": ["region"]}, "split_by"),
        ({"split_by": "region", "recipients_by": {}}, "recipients_by"),
        ({"split_by": "region", "recipients_by": {"north": []}}, "recipients_by.north"),
        ({"split_by": "region", "recipients_by": {"north": ["nobody"]}}, "recipients_by.north"),
        (
            {"split_by": "region", "recipients_by": {str(number): ["a@example.com"] for number in range(1001)}},
            "recipients_by",
        ),
        (
            {
                "split_by": "region",
                "recipients_by": {
                    str(value): [f"a{number}@example.com" for number in range(67)] for value in range(30)
                },
            },
            "recipients_by",
        ),
        ({"split_by": 3, "recipients_by": "manager"}, "split_by"),
    ],
)
def test_fields_that_cannot_be_split_are_refused_by_name(
    nightmail: Nightmail, fields: dict[str, Any], field: str
) -> None:
    body = {
        "job_name": "refused split",
        "schedule_time": schedule_in_half_a_year(),
        "data_source": {"source_type": "file", "location": "a.csv", "file_type": "csv"},
        "processing_script": "return data",
        "consumer_emails": ["owner@example.com"],
    }
    answer = nightmail.call("POST", "/jobs", json=body | fields)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert [error["field"] for error in answer.json()["errors"]] == [field]
