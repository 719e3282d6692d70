"""A bounce in the read model: the recipient's mail is `bounced` in the ledger and in the run, whatever comes first."""

from typing import Any
from uuid import UUID

import pytest

from api.conftest import ON_BOTH_DATABASES, Replica
from api.test_mail_routes import BLOB
from api.test_runs_over_rest import requested, result_ready
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import Event, MailBounced, MailSent
from nightmail_common.contract.mail_outcomes import RecipientOutcome
from support.deadlines import eventually

pytestmark = ON_BOTH_DATABASES


@pytest.mark.parametrize("bounced_first", [False, True])
async def test_a_mail_that_came_back_is_bounced_for_good(
    api: Replica, event_log: EventLog, bounced_first: bool
) -> None:
    run_id, job = await requested(api, event_log, consumer_emails=["a@example.com", "b@example.com"])
    await event_log.publish(result_ready(run_id, job, BLOB))
    named: dict[str, Any] = {"job_name": job.job_name, "run_id": run_id, "kind": "result"}
    recipients = tuple(
        RecipientOutcome(address=address, outcome="accepted", answer="250 OK")
        for address in ("a@example.com", "b@example.com")
    )
    sent = MailSent(**named, message_id="<1@example.com>", recipients=recipients)
    bounce = MailBounced(
        **named, message_id="<1@example.com>", address="a@example.com", status="5.1.1", answer="550 5.1.1 unknown"
    )
    events: list[Event] = [bounce, sent] if bounced_first else [sent, bounce]
    for event in events:
        stored = await event_log.publish(event)
        await applied(api, run_id, stored.sequence)

    ledger = (await api.http.get("/mails")).json()["items"]
    assert {item["recipient"]: (item["outcome"], item["answer"]) for item in ledger} == {
        "a@example.com": ("bounced", "5.1.1 550 5.1.1 unknown"),
        "b@example.com": ("accepted", "250 OK"),
    }
    assert len(ledger) == 2
    [found] = (await api.http.get("/mails", params={"outcome": "bounced"})).json()["items"]
    assert found["run_id"] == str(run_id)
    run = (await api.http.get(f"/runs/{run_id}")).json()
    assert {mail["address"]: mail["outcome"] for mail in run["mails"]} == {
        "a@example.com": "bounced",
        "b@example.com": "accepted",
    }
    assert run["status"] == "delivered"
    # When it is sent again and accepted, the run shows that; the ledger has both mails.
    again = MailSent(**named, message_id="<2@example.com>", recipients=recipients[:1])
    stored = await event_log.publish(again)
    await applied(api, run_id, stored.sequence)
    run = (await api.http.get(f"/runs/{run_id}")).json()
    assert {mail["address"]: mail["outcome"] for mail in run["mails"]}["a@example.com"] == "accepted"
    assert len((await api.http.get("/mails")).json()["items"]) == 3


async def applied(api: Replica, run_id: UUID, sequence: int) -> None:
    async def is_in_the_timeline() -> bool:
        run = (await api.http.get(f"/runs/{run_id}")).json()
        return bool(run["timeline"][-1]["sequence"] == sequence)

    await eventually(is_in_the_timeline, "the API has the event")
