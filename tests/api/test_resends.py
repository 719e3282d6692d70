"""`POST /runs/resend`: what recipients did not get since a time is mailed again, once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.conftest import ON_BOTH_DATABASES, Replica
from api.test_mail_routes import BLOB
from api.test_runs_over_rest import requested, result_ready
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailEvent, MailFailed, MailRequested, MailSent
from nightmail_common.contract.job import Job
from nightmail_common.contract.mail_outcomes import RecipientOutcome
from support.deadlines import eventually

pytestmark = ON_BOTH_DATABASES

SINCE = (datetime.now(UTC) - timedelta(hours=1)).isoformat()


async def mailed(
    api: Replica, log: EventLog, name: str, outcomes: dict[str, str], message_id: str = "<1@example.com>"
) -> tuple[UUID, Job]:
    """Return a run whose result went to these recipients with these outcomes."""
    run_id, job = await requested(api, log, job_name=name, consumer_emails=list(outcomes))
    await log.publish(result_ready(run_id, job, BLOB))
    await answered(log, run_id, job, outcomes, message_id)
    return run_id, job


async def answered(log: EventLog, run_id: UUID, job: Job, outcomes: dict[str, str], message_id: str) -> None:
    recipients = tuple(
        RecipientOutcome.model_validate({"address": address, "outcome": outcome, "answer": "an answer"})
        for address, outcome in outcomes.items()
    )
    named: dict[str, Any] = {"job_name": job.job_name, "run_id": run_id, "kind": "result", "message_id": message_id}
    event: MailEvent = MailSent(**named, recipients=recipients)
    if "accepted" not in outcomes.values():
        event = MailFailed(**named, recipients=recipients, reason="nobody")
    await log.publish(event)


async def refused(api: Replica, count: int) -> None:
    async def are_known() -> bool:
        answer = await api.http.get("/mails", params={"outcome": "refused", "limit": 1000})
        return len(answer.json()["items"]) == count

    await eventually(are_known, "the ledger has the refused mails")


async def resend(api: Replica, **body: Any) -> dict[tuple[str, ...], str]:
    """Return the ids of the requests by run and recipients."""
    answer = await api.http.post("/runs/resend", json={"undelivered_since": SINCE} | body)
    assert answer.status_code == 202, answer.text
    return {(item["run_id"], *item["recipients"]): item["request_id"] for item in answer.json()["items"]}


async def requests(log: EventLog) -> list[MailRequested]:
    stored = [one async for batch in log.replay(["runs.*.mail-requested"]) for one in batch]
    return [event for one in stored if isinstance(event := one.event(), MailRequested)]


async def test_what_recipients_did_not_get_is_requested_once_for_them_alone(api: Replica, event_log: EventLog) -> None:
    nobody, job = await mailed(api, event_log, "nobody", {"a@example.com": "refused", "b@example.com": "refused"})
    some, _ = await mailed(api, event_log, "some", {"a@example.com": "accepted", "b@example.com": "refused"})
    await mailed(api, event_log, "all", {"a@example.com": "accepted", "b@example.com": "uncertain"})
    await mailed(api, event_log, "deleted", {"a@example.com": "refused"})
    assert (await api.http.delete("/jobs/deleted")).status_code == 204
    await refused(api, 4)
    first = await resend(api)
    assert set(first) == {(str(nobody), "a@example.com", "b@example.com"), (str(some), "b@example.com")}
    assert await resend(api) == first
    assert len(await requests(event_log)) == 2
    assert set(await resend(api, job_name="some")) == {(str(some), "b@example.com")}
    assert await resend(api, undelivered_since=(datetime.now(UTC) + timedelta(hours=1)).isoformat()) == {}

    # The one who gets it when it is sent again is left out from now on; the one who is refused again is not.
    outcomes = {"a@example.com": "accepted", "b@example.com": "refused"}
    await answered(event_log, nobody, job, outcomes, "<2@example.com>")
    await refused(api, 5)
    second = await resend(api, job_name="nobody")
    assert set(second) == {(str(nobody), "b@example.com")}
    assert set(second.values()).isdisjoint(first.values())


async def test_an_answer_has_a_part_of_many_mails_and_the_cursor_of_the_rest(
    api: Replica, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_api.read_model.mail_queries.MAX_MAILS", 2)
    runs = [(await mailed(api, event_log, f"job {number}", {"a@example.com": "refused"}))[0] for number in range(5)]
    await refused(api, 5)
    found: list[str] = []
    cursor = None
    for _ in range(3):
        body = {"undelivered_since": SINCE, "cursor": cursor}
        answer = (await api.http.post("/runs/resend", json=body)).json()
        found += [item["run_id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
    assert (found, cursor) == ([str(run_id) for run_id in runs], None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "undelivered_since"),
        ({"undelivered_since": "yesterday"}, "undelivered_since"),
        ({"undelivered_since": SINCE, "cursor": "x"}, "cursor"),
        ({"undelivered_since": SINCE, "recipients": []}, "recipients"),
    ],
)
async def test_a_wrong_request_names_the_field(api: Replica, body: dict[str, Any], field: str) -> None:
    answer = await api.http.post("/runs/resend", json=body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
