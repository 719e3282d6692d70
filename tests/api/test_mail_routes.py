"""Mail over REST: resend, unsubscribe, and a result by its signed link."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.conftest import ON_BOTH_DATABASES, MakeReplica, Replica
from api.test_runs_over_rest import CSV, requested, result_ready
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.blob import Blob
from nightmail_common.contract.events import (
    MailDeferred,
    MailRequested,
    MailSent,
    MailSkipped,
    RecipientUnsubscribed,
    RunSkipped,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.mail_outcomes import RecipientOutcome, WaitingRecipient
from nightmail_common.contract.signing import RESULT, UNSUBSCRIBE, pseudonym, sign
from support.deadlines import eventually

KEY = "k" * 32
BLOB = Blob(size=len(CSV), sha256=hashlib.sha256(CSV).hexdigest(), data=CSV)


async def ended(api: Replica, log: EventLog) -> tuple[UUID, Job]:
    """Return a run with a result that the API knows."""
    recipients = {"consumer_emails": ["a@example.com", "b@example.com"], "cc": ["c@example.com"]}
    run_id, job = await requested(api, log, **recipients, failure_emails=["owner@example.com"])
    await log.publish(result_ready(run_id, job, BLOB))

    async def is_known() -> bool:
        return bool((await api.http.get(f"/runs/{run_id}")).json()["status"] == "processed")

    await eventually(is_known, "the API knows the result")
    return run_id, job


async def last(log: EventLog, subjects: str) -> object:
    stored = await log.last_event(subjects)
    return None if stored is None else stored.event()


async def test_a_runs_mail_is_resent_to_all_or_some_recipients(api: Replica, event_log: EventLog) -> None:
    run_id, job = await ended(api, event_log)
    answer = await api.http.post(f"/runs/{run_id}/resend")
    assert answer.status_code == 202
    event = await last(event_log, "runs.*.mail-requested")
    assert isinstance(event, MailRequested)
    assert str(event.request_id) == answer.json()["request_id"]
    assert event.recipients == (*job.consumer_emails, *job.cc)
    answer = await api.http.post(f"/runs/{run_id}/resend", json={"recipients": ["b@example.com"]})
    assert answer.status_code == 202
    event = await last(event_log, "runs.*.mail-requested")
    assert isinstance(event, MailRequested)
    assert event.recipients == ("b@example.com",)


async def test_a_recipient_who_is_named_many_times_is_one_recipient_of_the_event(
    api: Replica, event_log: EventLog
) -> None:
    run_id, _ = await ended(api, event_log)
    named = {"recipients": ["b@example.com", "a@example.com"] * 10_000}
    assert (await api.http.post(f"/runs/{run_id}/resend", json=named)).status_code == 202
    event = await last(event_log, "runs.*.mail-requested")
    assert isinstance(event, MailRequested)
    assert event.recipients == ("b@example.com", "a@example.com")


async def test_resend_requests_with_one_idempotency_key_are_one_request(api: Replica, event_log: EventLog) -> None:
    run_id, _ = await ended(api, event_log)
    headers = {"Idempotency-Key": "once"}
    answers = [await api.http.post(f"/runs/{run_id}/resend", headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    count = 0
    async for batch in event_log.replay(["runs.*.mail-requested"]):
        count += len(batch)
    assert count == 1


async def test_a_mail_is_resent_only_to_the_runs_recipients_and_only_after_its_end(
    api: Replica, event_log: EventLog
) -> None:
    run_id, _ = await ended(api, event_log)
    for stranger in ("stranger@example.com", "owner@example.com"):
        answer = await api.http.post(f"/runs/{run_id}/resend", json={"recipients": [stranger]})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "recipients"
    assert (await api.http.post(f"/runs/{run_id}/resend", json={"recipients": []})).status_code == 400
    assert (await api.http.post(f"/runs/{uuid4()}/resend")).status_code == 404
    assert (await api.client(None).post(f"/runs/{run_id}/resend")).status_code == 401


@pytest.mark.parametrize("field", ["consumer_emails", "cc", "bcc", "failure_emails"])
async def test_a_recipient_unsubscribes_by_one_click_and_the_job_can_still_be_changed(
    field: str, make_replica: MakeReplica, event_log: EventLog
) -> None:
    api = await make_replica(secret_key=KEY)
    await api.create(**{"consumer_emails": ["a@example.com"], field: ["b@example.com"]})
    created = await event_log.last_event("jobs.*.job-created")
    assert created is not None
    job = created.event().job  # type: ignore[union-attr]
    recipient = {"job": str(job.job_id), "recipient": pseudonym(KEY, job.job_id, "b@example.com")}
    path = "/unsubscribe/" + sign(KEY, UNSUBSCRIBE, recipient)
    anybody = api.client(None)
    asked = await anybody.get(path)
    assert asked.status_code == 200
    assert "<form" in asked.text
    assert await last(event_log, "jobs.*.recipient-unsubscribed") is None
    one_click = await anybody.post(path, data={"List-Unsubscribe": "One-Click"})
    assert one_click.status_code == 200
    event = await last(event_log, "jobs.*.recipient-unsubscribed")
    assert isinstance(event, RecipientUnsubscribed)
    assert event.address == "b@example.com"

    async def who_left() -> list[str]:
        left: list[str] = (await api.http.get(f"/jobs/{job.job_name}")).json()["unsubscribed"]
        return left

    assert await eventually(who_left, "the job shows who left") == ["b@example.com"]
    assert (await anybody.post(path)).status_code == 200
    assert (await api.http.post(f"/jobs/{job.job_name}/pause")).json()["unsubscribed"] == ["b@example.com"]


async def test_a_job_whose_recipients_have_all_unsubscribed_has_a_warning(
    make_replica: MakeReplica, event_log: EventLog
) -> None:
    api = await make_replica(secret_key=KEY)
    await api.create(consumer_emails=["a@example.com"], cc=["b@example.com"])
    created = await event_log.last_event("jobs.*.job-created")
    assert created is not None
    job = created.event().job  # type: ignore[union-attr]
    for number, address in enumerate(("a@example.com", "b@example.com"), 1):
        assert "every recipient" not in (await api.http.get(f"/jobs/{job.job_name}")).text
        recipient = {"job": str(job.job_id), "recipient": pseudonym(KEY, job.job_id, address)}
        path = "/unsubscribe/" + sign(KEY, UNSUBSCRIBE, recipient)
        assert (await api.client(None).post(path)).status_code == 200

        async def are_shown(wanted: int = number) -> bool:
            return len((await api.http.get(f"/jobs/{job.job_name}")).json()["unsubscribed"]) == wanted

        await eventually(are_shown, "the job shows who has unsubscribed")
    warnings = (await api.http.get(f"/jobs/{job.job_name}")).json()["warnings"]
    assert warnings[-1]["detail"] == "every recipient has unsubscribed: nobody gets the mails of this job"


async def test_a_signed_link_returns_the_result_until_it_expires(
    make_replica: MakeReplica, event_log: EventLog
) -> None:
    api = await make_replica(secret_key=KEY)
    run_id, _ = await ended(api, event_log)
    anybody = api.client(None)
    now = datetime.now(UTC)
    payload = {"run": str(run_id)}
    good = sign(KEY, RESULT, payload, now + timedelta(days=1))
    answer = await anybody.get(f"/shared/results/{good}")
    assert answer.content == CSV
    for bad in (
        sign(KEY, RESULT, payload, now - timedelta(seconds=1)),
        sign("another key", RESULT, payload, now + timedelta(days=1)),
        sign(KEY, UNSUBSCRIBE, payload, now + timedelta(days=1)),
        good[:-2],
        "é.é",
        "nonsense",
    ):
        assert (await anybody.get(f"/shared/results/{bad}")).status_code == 404, bad


async def test_without_a_key_no_link_is_valid(api: Replica) -> None:
    token = sign("", RESULT, {"run": str(uuid4())})
    assert (await api.client(None).get(f"/shared/results/{token}")).status_code == 404


async def test_a_run_lists_recipients_whose_mail_waits(api: Replica, event_log: EventLog) -> None:
    run_id, job = await ended(api, event_log)
    now = datetime.now(UTC)
    waiting = WaitingRecipient(
        address="b@example.com", answer="450 Later", attempts=1, since=now, next_attempt=now + timedelta(hours=1)
    )
    accepted = RecipientOutcome(address="a@example.com", outcome="accepted", answer="250 OK")
    named = {"job_name": job.job_name, "run_id": run_id, "kind": "result", "message_id": "<1@example.com>"}
    await event_log.publish(MailDeferred(**named, recipients=(waiting,), settled=(accepted,)))

    async def run_with(outcome: str) -> dict[str, Any] | None:
        run: dict[str, Any] = (await api.http.get(f"/runs/{run_id}")).json()
        return run if outcome in {mail["outcome"] for mail in run["mails"]} else None

    run = await eventually(lambda: run_with("waiting"), "the run shows the waiting mail")
    assert run["status"] == "delivered"
    by_address = {mail["address"]: mail for mail in run["mails"]}
    assert by_address["a@example.com"]["outcome"] == "accepted"
    assert by_address["b@example.com"]["answer"] == "450 Later"
    assert datetime.fromisoformat(by_address["b@example.com"]["next_attempt"]) - now > timedelta(minutes=59)
    [waits] = (await api.http.get("/mails", params={"outcome": "waiting"})).json()["items"]
    assert (waits["recipient"], waits["run_id"], waits["answer"]) == ("b@example.com", str(run_id), "450 Later")
    assert datetime.fromisoformat(waits["next_attempt"]) > now
    refused = RecipientOutcome(address="b@example.com", outcome="refused", answer="given up after 5 days")
    await event_log.publish(MailSent(**named, recipients=(accepted, refused)))
    run = await eventually(lambda: run_with("refused"), "the run shows the last outcome")
    assert {mail["address"]: mail["outcome"] for mail in run["mails"]} == {
        "a@example.com": "accepted",
        "b@example.com": "refused",
    }
    assert (await api.http.get("/mails", params={"outcome": "waiting"})).json() == {"items": [], "next_cursor": None}


@ON_BOTH_DATABASES
async def test_the_ledger_has_one_item_for_each_recipient_and_mail_newest_first(
    api: Replica, event_log: EventLog
) -> None:
    async def send(job_name: str, message_id: str, recipients: dict[str, Any]) -> UUID:
        run_id, job = await requested(api, event_log, job_name=job_name, consumer_emails=list(recipients))
        outcomes = tuple(
            RecipientOutcome(address=address, outcome=outcome, answer=f"250 {address}")
            for address, outcome in recipients.items()
        )
        named = {"job_name": job.job_name, "run_id": run_id, "kind": "result", "message_id": message_id}
        await event_log.publish(MailSent(**named, recipients=outcomes))
        return run_id

    first = await send("one", "<1@example.com>", {"a@example.com": "accepted", "b@example.com": "refused"})
    second = await send("two", "<2@example.com>", {"a@example.com": "accepted"})

    async def listed(**wanted: object) -> list[tuple[str, str]]:
        answer = await api.http.get("/mails", params={name: str(value) for name, value in wanted.items()})
        assert answer.status_code == 200, answer.text
        return [(item["run_id"], item["recipient"]) for item in answer.json()["items"]]

    async def has_all() -> bool:
        return len(await listed()) == 3

    await eventually(has_all, "the ledger has the mails")
    a1, b1, a2 = (str(first), "a@example.com"), (str(first), "b@example.com"), (str(second), "a@example.com")
    assert await listed() == [a2, b1, a1]
    assert await listed(recipient="a@Example.com") == [a2, a1]
    assert await listed(outcome="refused") == [b1]
    [error] = (await api.http.get("/mails?outcome=nonsense")).json()["errors"]
    assert (error["field"], len(error["allowed"])) == ("outcome", 5)
    assert await listed(job_name="one") == [b1, a1]
    assert await listed(job_name="one", recipient="b@example.com", outcome="accepted") == []
    assert await listed(message_id="<1@example.com>") == await listed(message_id="1@example.com ") == [b1, a1]
    assert await listed(message_id="3@example.com") == []
    assert await listed(since=(datetime.now(UTC) - timedelta(hours=1)).isoformat()) == [a2, b1, a1]
    assert await listed(since=(datetime.now(UTC) + timedelta(hours=1)).isoformat()) == []
    page = (await api.http.get("/mails", params={"limit": 2})).json()
    assert await listed(limit=2, cursor=page["next_cursor"]) == [a1]
    assert (await api.http.get("/mails", params={"outcome": "lost"})).status_code == 400
    assert (await api.http.get("/mails", params={"cursor": "x"})).status_code == 400
    assert (await api.client(None).get("/mails")).status_code == 401


async def test_a_recipient_is_found_whatever_the_case_of_the_letters(api: Replica, event_log: EventLog) -> None:
    run_id, _ = await ended(api, event_log)
    for number, address in enumerate(("Ann.Müller@example.com", "bob@example.com")):
        one = RecipientOutcome(address=address, outcome="accepted", answer="250 ok")
        sent = MailSent(
            job_name="daily sales", run_id=run_id, kind="result", message_id=f"<{number}@x>", recipients=(one,)
        )
        await event_log.publish(sent)

    async def found(recipient: str) -> list[str]:
        answer = await api.http.get("/mails", params={"recipient": recipient, "job_name": "daily sales"})
        return [item["recipient"] for item in answer.json()["items"]]

    await eventually(lambda: found("bob@example.com"), "the mails are listed")
    assert await found("ann.müller@EXAMPLE.com") == ["Ann.Müller@example.com"]
    assert await found("BOB@example.com") == ["bob@example.com"]
    assert await found("ann@example.com") == []


@pytest.mark.parametrize("ends_with", ["run-skipped", "mail-skipped"])
async def test_a_mail_that_waited_waits_no_more_when_its_job_is_deleted(
    api: Replica, event_log: EventLog, ends_with: str
) -> None:
    run_id, job = await ended(api, event_log)
    kind: Any = "result" if ends_with == "run-skipped" else "failure"
    now = datetime.now(UTC)
    waiting = WaitingRecipient(address="a@example.com", answer="451 later", attempts=1, since=now, next_attempt=now)
    of_run: dict[str, Any] = {"job_name": job.job_name, "run_id": run_id}
    await event_log.publish(MailDeferred(**of_run, kind=kind, message_id="<1@x>", recipients=(waiting,)))

    async def listed() -> tuple[int, int]:
        mails = (await api.http.get("/mails?outcome=waiting")).json()["items"]
        return len(mails), len((await api.http.get(f"/runs/{run_id}")).json()["mails"])

    async def waits() -> bool:
        return await listed() == (1, 1)

    async def waits_no_more() -> bool:
        return await listed() == (0, 0)

    await eventually(waits, "the mail waits")
    if ends_with == "run-skipped":
        due = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
        skipped = RunSkipped(
            **of_run, job_id=job.job_id, job_version=1, scheduled_at=due, reason="deleted", detail="deleted"
        )
        await event_log.publish(skipped)
    else:
        await event_log.publish(MailSkipped(**of_run, kind="failure", reason="deleted"))
    await eventually(waits_no_more, "no mail waits")
