"""`GET /overview`: the first page in one answer, and the first steps of an installation."""

from datetime import UTC, datetime
from typing import Any

from api.conftest import ON_BOTH_DATABASES, Replica
from api.test_runs_over_rest import CSV, inline, requested, result_ready, run_with_status
from api.test_system import running
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailSent, RunError, RunFailed, Timings
from nightmail_common.contract.mail_outcomes import RecipientOutcome
from support.deadlines import eventually
from support.nats_server import NatsServer

SERVER = {"server": "mail.example.com:587", "security": "starttls", "sender": "reports@example.com"}


async def read(api: Replica) -> dict[str, Any]:
    answer = await api.http.get("/overview")
    assert answer.status_code == 200, answer.text
    overview: dict[str, Any] = answer.json()
    return overview


@ON_BOTH_DATABASES
async def test_jobs_that_fail_come_first_and_mails_are_counted(api: Replica, event_log: EventLog) -> None:
    empty = await read(api)
    assert (empty["jobs"], empty["failing"], empty["next"], empty["refused"]) == (0, [], [], [])
    run_id, job = await requested(api, event_log, job_name="works")
    await event_log.publish(result_ready(run_id, job, inline(CSV)))
    outcomes = (
        RecipientOutcome(address="ann@example.com", outcome="accepted", answer="250 OK"),
        RecipientOutcome(address="bo@example.com", outcome="refused", answer="550 no such user"),
    )
    sent = MailSent(job_name="works", run_id=run_id, kind="result", message_id="<1@example.com>", recipients=outcomes)
    await event_log.publish(sent)
    failed_id, failing = await requested(api, event_log, job_name="fails")
    error = RunError(stage="script", type="KeyError", message="there is no column 'amout'")
    await event_log.publish(
        RunFailed(
            job_name="fails",
            run_id=failed_id,
            job=failing,
            trigger="manual",
            scheduled_at=failing.created_at,
            error=error,
            log="",
            timings=Timings(total_ms=3.0),
        )
    )
    await run_with_status(api, failed_id, "failed")
    await api.http.post("/jobs/works/pause")
    found = await read(api)
    assert (found["jobs"], found["paused"], found["more_failing"]) == (2, 1, False)
    assert [one["job_name"] for one in found["failing"]] == ["fails"]
    assert found["failing"][0]["last_run"]["error"]["message"] == "there is no column 'amout'"
    assert sorted(one["job_name"] for one in found["next"]) == ["fails", "works"]
    assert "processing_script" not in found["next"][0]
    assert [(one["recipient"], one["answer"]) for one in found["refused"]] == [("bo@example.com", "550 no such user")]
    if found["refused"][0]["time"][:10] == datetime.now(UTC).date().isoformat():
        assert {name: count for name, count in found["mails_today"].items() if count} == {"accepted": 1, "refused": 1}
    for number in range(11):
        await requested(api, event_log, job_name=f"another {number}")
    assert len((await read(api))["next"]) == 12


async def test_the_first_steps_are_done_one_after_the_other(
    api: Replica, event_log: EventLog, nats_server: NatsServer
) -> None:
    nothing = {"report": False, "mail_server": False, "tested": False, "invited": False}
    overview = await read(api)
    assert overview["setup"] is None  # no mailer says through which server it sends
    assert "no mailer runs" in overview["problems"]

    async def setup_is(caught: bool, **done: bool) -> None:
        async def found() -> bool:
            overview = await read(api)
            return (overview["is_caught"], overview["setup"]) == (caught, nothing | done)

        await eventually(found, f"{done} is said")

    run_id, job = await requested(api, event_log)
    await event_log.publish(result_ready(run_id, job, inline(CSV)))
    outcome = RecipientOutcome(address="ann@example.com", outcome="accepted", answer="250 kept")
    sent = MailSent(
        job_name=job.job_name, run_id=run_id, kind="result", message_id="<1@example.com>", recipients=(outcome,)
    )
    await event_log.publish(sent)
    await run_with_status(api, run_id, "delivered")
    async with running("mailer", nats_server.url, smtp=SERVER | {"catcher": True}):
        await setup_is(True, report=True)
    async with running("mailer", nats_server.url, smtp=SERVER) as mailer:
        await setup_is(False, report=True, mail_server=True, tested=True)
        answer = await api.http.post("/tokens", json={"name": "bo", "role": "viewer"})
        assert answer.status_code == 201, answer.text
        await setup_is(False, report=True, mail_server=True, tested=True, invited=True)
        mailer.health.add("smtp", lambda: "refused: 535 wrong password")

        async def is_a_problem() -> bool:
            return f"{SERVER['server']}: refused: 535 wrong password" in (await read(api))["problems"]

        await eventually(is_a_problem, "the SMTP server's answer is a problem")
        await setup_is(False, report=True, mail_server=True, tested=True, invited=True)  # a step stays done
