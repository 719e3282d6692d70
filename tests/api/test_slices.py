"""A result that is split, over REST: its slices, the mails of each, resend, signed links, unsubscribe."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from nats.aio.client import Client

from api.conftest import ON_BOTH_DATABASES, MakeReplica, Replica
from api.test_mail_routes import BLOB, KEY, last
from api.test_runs_over_rest import CSV, requested, result_ready
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.contract.events import (
    MailBounced,
    MailEvent,
    MailFailed,
    MailRequested,
    MailSent,
    MailSkipped,
    RecipientUnsubscribed,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.mail_outcomes import RecipientOutcome
from nightmail_common.contract.signing import RESULT, SLICE, UNSUBSCRIBE, pseudonym, sign
from nightmail_common.contract.split import SLICES, ResultSlice, SliceFile, SplitResult, slice_id
from support.deadlines import eventually

#: The value of each slice: its recipients and its CSV.
OF_RUN = {
    "north": (["n@example.com", "both@example.com"], b"region,amount\nnorth,17\n"),
    "süd, west": (["both@example.com"], b'region,amount\n"s\xc3\xbcd, west",5\n'),
}


async def split_run(
    api: Replica, log: EventLog, client: Client, recipients_by: Any = None, **fields: Any
) -> tuple[UUID, Job]:
    """Return a run whose result is split, which the API knows."""
    by_value = {value: recipients for value, (recipients, _) in OF_RUN.items()}
    run_id, job = await requested(api, log, split_by="region", recipients_by=recipients_by or by_value, **fields)
    files, slices = b"", []
    for value, (recipients, csv) in OF_RUN.items():
        written = SliceFile(format="csv", offset=len(files), size=len(csv), sha256=hashlib.sha256(csv).hexdigest())
        files += csv
        slices.append(ResultSlice(value=value, recipients=tuple(recipients), rows=1, files=(written,)))
    store = ResultStore(client.jetstream())
    index = await store.put(job.job_name, run_id, io.BytesIO(SLICES.dump_json(tuple(slices))), 0)
    split = SplitResult(count=2, index=index, files=await store.put(job.job_name, run_id, io.BytesIO(files), 0))
    await log.publish(result_ready(run_id, job, BLOB).model_copy(update={"split": split}))
    await eventually(lambda: has_status(api, run_id, "processed"), "the API knows the result")
    return run_id, job


async def has_status(api: Replica, run_id: UUID, status: str) -> bool:
    return bool((await api.http.get(f"/runs/{run_id}")).json()["status"] == status)


async def answered(log: EventLog, run_id: UUID, job: Job, value: str, outcome: str) -> str:
    """Publish the outcome of the mails of a slice; return their Message-ID."""
    message_id = f"<{slice_id(value)}@example.com>"
    recipients = tuple(
        RecipientOutcome.model_validate({"address": address, "outcome": outcome, "answer": "an answer"})
        for address in OF_RUN[value][0]
    )
    fields: dict[str, Any] = {"job_name": job.job_name, "run_id": run_id, "kind": "result", "message_id": message_id}
    fields |= {"recipients": recipients, "split_value": value}
    event: MailEvent = MailSent(**fields) if outcome == "accepted" else MailFailed(**fields, reason="nobody")
    await log.publish(event)
    return message_id


async def mails_of(api: Replica, run_id: UUID, count: int) -> set[tuple[str, str | None, str]]:
    async def found() -> list[dict[str, Any]] | None:
        mails: list[dict[str, Any]] = (await api.http.get(f"/runs/{run_id}")).json()["mails"]
        return mails if len(mails) >= count else None

    mails = await eventually(found, f"the run has {count} mails")
    assert isinstance(mails, list)
    return {(mail["address"], mail.get("split_value"), mail["outcome"]) for mail in mails}


async def test_a_run_lists_its_slices_with_their_digests(
    api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    run_id, _ = await split_run(api, event_log, nats_client)
    assert (await api.http.get(f"/runs/{run_id}")).json()["slices"] == 2
    answer = await api.http.get(f"/runs/{run_id}/slices")
    assert answer.json()["items"] == [
        {
            "value": value,
            "rows": 1,
            "recipients": recipients,
            "size": len(csv),
            "sha256": hashlib.sha256(csv).hexdigest(),
        }
        for value, (recipients, csv) in OF_RUN.items()
    ]
    assert (await api.http.get(f"/runs/{run_id}/result")).content == CSV
    plain, _ = await requested(api, event_log, job_name="not split")
    assert (await api.http.get(f"/runs/{plain}/slices")).status_code == 404


@ON_BOTH_DATABASES
async def test_every_mail_of_a_slice_has_its_entry(api: Replica, event_log: EventLog, nats_client: Client) -> None:
    run_id, job = await split_run(api, event_log, nats_client)
    await answered(event_log, run_id, job, "süd, west", "refused")
    await eventually(lambda: has_status(api, run_id, "undelivered"), "no slice is delivered yet")
    await event_log.publish(
        MailSkipped(
            job_name=job.job_name, run_id=run_id, kind="result", reason="unsubscribed", split_value="another value"
        )
    )
    message_id = await answered(event_log, run_id, job, "north", "accepted")
    expected = {
        ("both@example.com", "süd, west", "refused"),
        ("both@example.com", "north", "accepted"),
        ("n@example.com", "north", "accepted"),
    }
    assert await mails_of(api, run_id, 3) == expected
    await eventually(lambda: has_status(api, run_id, "delivered"), "one slice is delivered")
    items = (await api.http.get("/mails")).json()["items"]
    assert {(item["recipient"], item["split_value"], item["outcome"]) for item in items} == expected
    bounced = MailBounced(
        job_name=job.job_name,
        run_id=run_id,
        kind="result",
        message_id=message_id,
        address="n@example.com",
        status="5.1.1",
        answer="gone",
        split_value="north",
    )
    await event_log.publish(bounced)

    async def has_bounced() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await api.http.get("/mails?outcome=bounced")).json()["items"]
        return found

    [item] = await eventually(has_bounced, "the bounce is in the ledger")
    assert (item["recipient"], item["split_value"]) == ("n@example.com", "north")


async def test_a_skipped_slice_alone_does_not_make_an_undelivered_run_delivered(
    api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    run_id, job = await split_run(api, event_log, nats_client)
    await answered(event_log, run_id, job, "north", "refused")
    await event_log.publish(
        MailSkipped(job_name=job.job_name, run_id=run_id, kind="result", reason="unsubscribed", split_value="south")
    )
    await answered(event_log, run_id, job, "süd, west", "refused")
    await mails_of(api, run_id, 3)
    assert await has_status(api, run_id, "undelivered")


async def test_a_slice_is_resent_to_all_or_some_of_its_recipients(
    api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    run_id, _ = await split_run(api, event_log, nats_client)
    cases: list[tuple[dict[str, Any], tuple[str, ...], str | None]] = [
        ({}, ("n@example.com", "both@example.com"), None),
        ({"recipients": ["both@example.com"]}, ("both@example.com",), None),
        ({"split_value": "süd, west"}, ("both@example.com",), "süd, west"),
        ({"split_value": "north", "recipients": ["n@example.com"]}, ("n@example.com",), "north"),
    ]
    for body, recipients, split_value in cases:
        answer = await api.http.post(f"/runs/{run_id}/resend", json=body)
        assert answer.status_code == 202, answer.text
        event = await last(event_log, "runs.*.mail-requested")
        assert isinstance(event, MailRequested)
        assert (event.recipients, event.split_value) == (recipients, split_value)
    for body, field in (
        ({"split_value": "west"}, "split_value"),
        ({"split_value": "süd, west", "recipients": ["n@example.com"]}, "recipients"),
        ({"recipients": ["reports@example.com"]}, "recipients"),
    ):
        answer = await api.http.post(f"/runs/{run_id}/resend", json=body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == field


@ON_BOTH_DATABASES
async def test_undelivered_slices_are_resent_each_to_those_who_did_not_get_it(
    api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    run_id, job = await split_run(api, event_log, nats_client)
    await answered(event_log, run_id, job, "north", "accepted")
    await answered(event_log, run_id, job, "süd, west", "refused")
    await mails_of(api, run_id, 3)
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    answer = await api.http.post("/runs/resend", json={"undelivered_since": since})
    [item] = answer.json()["items"]
    assert (item["recipients"], item["split_value"]) == (["both@example.com"], "süd, west")
    event = await last(event_log, "runs.*.mail-requested")
    assert isinstance(event, MailRequested)
    assert (event.recipients, event.split_value) == (("both@example.com",), "süd, west")


async def test_a_signed_link_returns_one_slice_only(
    make_replica: MakeReplica, event_log: EventLog, nats_client: Client
) -> None:
    api = await make_replica(secret_key=KEY)
    run_id, _ = await split_run(api, event_log, nats_client)
    anybody = api.client(None)
    until = datetime.now(UTC) + timedelta(days=1)
    for value, (_, csv) in OF_RUN.items():
        token = sign(KEY, SLICE, {"run": str(run_id), "slice": slice_id(value)}, until)
        assert (await anybody.get(f"/shared/slices/{token}")).content == csv
        assert (await anybody.get(f"/shared/results/{token}")).status_code == 404
    for bad in (
        sign(KEY, SLICE, {"run": str(run_id), "slice": slice_id("another value")}, until),
        sign(KEY, SLICE, {"run": str(run_id), "slice": slice_id("north")}, until - timedelta(days=2)),
        sign(KEY, RESULT, {"run": str(run_id)}, until),
    ):
        assert (await anybody.get(f"/shared/slices/{bad}")).status_code == 404


@pytest.mark.parametrize("by", ["value", "column"])
async def test_the_recipient_of_a_slice_unsubscribes(
    make_replica: MakeReplica, event_log: EventLog, nats_client: Client, by: str
) -> None:
    api = await make_replica(secret_key=KEY)
    run_id, job = await split_run(api, event_log, nats_client, None if by == "value" else "manager")
    await answered(event_log, run_id, job, "north", "accepted")
    await mails_of(api, run_id, 2)
    recipient = {"job": str(job.job_id), "recipient": pseudonym(KEY, job.job_id, "n@example.com")}
    path = "/unsubscribe/" + sign(KEY, UNSUBSCRIBE, recipient)
    anybody = api.client(None)
    assert "<form" in (await anybody.get(path)).text
    assert (await anybody.post(path, data={"List-Unsubscribe": "One-Click"})).status_code == 200
    event = await last(event_log, "jobs.*.recipient-unsubscribed")
    assert isinstance(event, RecipientUnsubscribed)
    assert event.address == "n@example.com"
