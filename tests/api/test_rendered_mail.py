"""`GET /runs/{run_id}/mail` and previews `with_mail`: mails as recipients see them, rendered by a real mailer."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.conftest import Replica
from api.test_access import make_token
from api.test_runs_over_rest import CSV, PNG, inline, requested, result_ready, run_with_status
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.blob import ResultFigure
from nightmail_common.contract.events import RunError, RunFailed, Timings
from support.mailer_process import MailerProcess
from support.nats_server import NatsServer
from support.runner_process import RunnerProcess
from support.smtp_server import SmtpServer


@pytest.fixture
async def mailer(api: Replica, nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[MailerProcess]:
    """A mailer on the session's broker, after the API has declared the streams."""
    smtp = SmtpServer()
    smtp.start()
    process = MailerProcess(
        nats_server, smtp.port, tmp_path, public_url="https://nightmail.example.com", secret_key="a-key-of-the-tests"
    )
    await process.ready()
    yield process
    process.kill()
    smtp.stop()


@pytest.mark.usefixtures("mailer")
async def test_the_mail_of_a_result_is_shown_as_recipients_see_it(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log, message="**Hello** <script>alert(1)</script>")
    figure = ResultFigure(name="figure-1.png", alt="A chart.", width=1280, height=960, blob=inline(PNG))
    event = result_ready(run_id, job, inline(CSV)).model_copy(update={"figures": (figure,)})
    missing = await api.http.get(f"/runs/{run_id}/mail")
    reason = f"the run {run_id} has no mail: it has not ended, or was skipped or cancelled"
    assert (missing.status_code, missing.json()["detail"]) == (404, reason)
    await event_log.publish(event)
    await run_with_status(api, run_id, "delivered")

    answer = await api.http.get(f"/runs/{run_id}/mail")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "<strong>Hello</strong>" in answer.text
    assert "<script" not in answer.text
    assert "north" in answer.text
    assert f"data:image/png;base64,{base64.b64encode(PNG).decode()}" in answer.text
    assert "cid:" not in answer.text

    text = await api.http.get(f"/runs/{run_id}/mail", params={"part": "text"})
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert "north" in text.text
    for shown in (answer.text, text.text):
        assert "reports@example.com" not in shown
        assert "/unsubscribe/" not in shown, "the link to unsubscribe is a recipient's own"


@pytest.mark.usefixtures("mailer")
async def test_the_mail_of_a_failure_is_shown_if_there_is_one(api: Replica, event_log: EventLog) -> None:
    for notifies in (True, False):
        run_id, job = await requested(api, event_log, job_name=f"fails {notifies}", notify_on_failure=notifies)
        error = RunError(stage="script", type="KeyError", message="there is no column 'amout'")
        failed = RunFailed(
            job_name=job.job_name,
            run_id=run_id,
            job=job,
            trigger="manual",
            scheduled_at=job.created_at,
            error=error,
            log="",
            timings=Timings(total_ms=3.0),
        )
        await event_log.publish(failed)

        async def shown() -> httpx.Response:
            return await api.http.get(f"/runs/{run_id}/mail")  # noqa: B023

        await run_with_status(api, run_id, "failed")
        answer = await shown()
        assert answer.status_code == (200 if notifies else 404), answer.text
        assert ("there is no column" in answer.text) == notifies


async def test_without_a_mailer_the_answer_says_so(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log)
    await event_log.publish(result_ready(run_id, job, inline(CSV)))
    await run_with_status(api, run_id, "processed")
    async with api.client(await make_token(api, "dashboard", "viewer")) as viewer:
        answer = await viewer.get(f"/runs/{run_id}/mail")
    assert (answer.status_code, answer.json()["detail"]) == (503, "no mailer is available to render the mail")


async def test_a_preview_shows_the_mail_that_would_be_sent(
    api: Replica, mailer: MailerProcess, nats_server: NatsServer, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "sales.csv").write_text("region;amount\nnorth;10\nsouth;5\n")
    body = {
        "job_name": "sales",
        "data_source": {"source_type": "file", "location": "sales.csv", "file_type": "csv", "delimiter": ";"},
        "processing_script": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nreturn data",
        "csv": {"delimiter": ";"},
        "attachments": ["csv", "xlsx"],
        "with_mail": True,
    }
    runner = RunnerProcess(nats_server, tmp_path)
    try:
        await runner.ready()
        answer = (await api.http.post("/jobs/preview", json=body)).json()
        plain = (await api.http.post("/jobs/preview", json=body | {"with_mail": False})).json()
        failed = (await api.http.post("/jobs/preview", json=body | {"processing_script": "return 1 / 0"})).json()
        mailer.kill()
        alone = (await api.http.post("/jobs/preview", json=body)).json()
    finally:
        runner.kill()
    mail = answer["mail"]
    assert mail["subject"].startswith("sales")
    assert ">north</td>" in mail["html"]
    assert "2 rows" in mail["text"]
    assert ".xlsx" in mail["text"]
    assert f"data:image/png;base64,{answer['figures'][0]['png']}" in mail["html"]
    assert (plain["mail"], failed["mail"], alone["mail"]) == (None, None, None)
    assert alone["rows"] == 2
    assert [note["text"] for note in alone["notes"]][-1].startswith("the mail cannot be shown: no mailer")


async def test_the_result_of_a_preview_is_mailed_once_to_the_one_who_asks(
    api: Replica, nats_server: NatsServer, tmp_path: Path
) -> None:
    async def refuse_bob(recipient: str) -> str | None:
        return "550 5.1.1 no such user" if recipient.startswith("bob") else None

    smtp = SmtpServer()
    smtp.on_rcpt = refuse_bob
    smtp.start()
    mailer = MailerProcess(
        nats_server, smtp.port, tmp_path, public_url="https://nightmail.example.com", secret_key="a-key-of-the-tests"
    )
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "sales.csv").write_text("region,amount\nnorth,10\nsouth,5\n")
    body = {
        "job_name": "sales",
        "data_source": {"source_type": "file", "location": "sales.csv", "file_type": "csv"},
        "processing_script": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nreturn data",
        "attachments": ["csv", "xlsx"],
        "consumer_emails": ["everybody@example.com"],
        "cc": ["boss@example.com"],
        "bcc": ["audit@example.com"],
        "send_to": "ann@EXAMPLE.com",
    }
    owners = {"north": ["north@example.com"], "south": ["south@example.com"]}
    split = {"cc": [], "bcc": [], "split_by": "region", "recipients_by": owners}

    # Random digits do not compress: more than an answer carries, and then more than a try may mail.
    def digits(rows: int) -> dict[str, object]:
        script = f"return pd.DataFrame({{'digits': np.random.default_rng(1).random({rows})}})"
        return {"processing_script": script, "attachments": ["csv"]}

    runner = RunnerProcess(nats_server, tmp_path)
    try:
        await mailer.ready()
        await runner.ready()
        before = (await api.http.get("/events")).json()["items"]
        sent = (await api.http.post("/jobs/preview", json=body)).json()
        assert sent.get("sent") is not None, sent
        [mail] = smtp.mails
        in_one = (await api.http.post("/jobs/preview", json=body | split)).json()
        by_reference = (await api.http.post("/jobs/preview", json=body | digits(100_000))).json()
        too_large = (await api.http.post("/jobs/preview", json=body | digits(1_000_000))).json()
        refused = (await api.http.post("/jobs/preview", json=body | {"send_to": "bob@example.com"})).json()
        failed = (await api.http.post("/jobs/preview", json=body | {"processing_script": "return 1 / 0"})).json()
        mailer.kill()
        alone = (await api.http.post("/jobs/preview", json=body)).json()
        after = (await api.http.get("/events")).json()["items"]
    finally:
        runner.kill()
        mailer.kill()
        smtp.stop()
    assert (sent["sent"]["recipient"], sent["sent"]["outcome"]) == ("ann@example.com", "accepted"), sent
    assert (mail["To"], mail["Cc"]) == ("ann@example.com", None)
    assert mail["List-Unsubscribe"] is None
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert sorted(name.rpartition(".")[2] for name in names if name) == ["csv", "xlsx"]
    [csv] = [part for part in mail.iter_attachments() if (part.get_filename() or "").endswith(".csv")]
    assert csv.get_content().replace("\r\n", "\n") == "region,amount\nnorth,10\nsouth,5\n"
    assert by_reference["sent"], by_reference
    assert in_one["sent"]["outcome"] == "accepted", in_one
    assert [each["To"] for each in smtp.mails] == ["ann@example.com"] * 3
    assert too_large["sent"] is None
    assert "more than the 16777216 of a try; save the job and run it" in too_large["notes"][-1]["text"]
    assert (refused["sent"]["outcome"], refused["sent"]["answer"]) == ("refused", "550 5.1.1 no such user")
    assert (failed["sent"], alone["sent"]) == (None, None)
    assert alone["notes"][-1]["text"] == "the mail was not sent: no mailer is available to send the mail"
    assert before == after, "a try is not in the log"


async def test_a_preview_is_mailed_to_an_address_only(api: Replica) -> None:
    source = {"source_type": "file", "location": "sales.csv", "file_type": "csv"}
    body = {"data_source": source, "processing_script": "return data", "send_to": "nobody"}
    answer = await api.http.post("/jobs/preview", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "send_to")
