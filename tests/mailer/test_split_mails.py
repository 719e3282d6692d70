"""The mails of a result that is split: one for each slice, with its rows only, and none twice or without an outcome."""

import hashlib
import io
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.streams import MAILED
from nightmail_common.contract.events import (
    JobDeleted,
    MailDeferred,
    MailEvent,
    MailFailed,
    MailRequested,
    MailSent,
    MailSkipped,
    Note,
    RecipientUnsubscribed,
    ResultReady,
    RunSkipped,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.signing import PATHS, SLICE, read
from nightmail_common.contract.split import SLICES, ResultSlice, SliceFile, SplitResult, slice_id
from support.deadlines import eventually
from support.mailer_process import MailerProcess, events_of, mail_event, result_of
from support.mails import text_of
from support.smtp_server import Hang, SmtpServer

ALL_ROWS = b"region,amount,secret\nnorth,1,n1-secret\nsouth,2,s2-secret\nnorth,3,n3-secret\neast,4,e4-secret\n"
#: The value of each slice, its recipients and its rows.
SLICES_OF = {
    "north": (("ann@example.com", "amy@example.com"), ["north,1,n1-secret", "north,3,n3-secret"]),
    "south": (("bob@example.com",), ["south,2,s2-secret"]),
    "east": (("ann@example.com",), ["east,4,e4-secret"]),
}
SECRETS = {value: {row.rpartition(",")[2] for row in rows} for value, (_, rows) in SLICES_OF.items()}

MakeSplit = Callable[..., Awaitable[ResultReady]]


@pytest.fixture
def split_result(nats_client: Client, event_log: EventLog, make_job: Callable[..., Job]) -> MakeSplit:
    """Return a function that stores a result in slices, as a runner does, and returns its event."""
    store = ResultStore(nats_client.jetstream())

    async def store_split(padding: int = 0, **fields: Any) -> ResultReady:
        job_fields = {"recipients_by": {value: list(to) for value, (to, _) in SLICES_OF.items()}} | fields.pop(
            "job", {}
        )
        job = make_job(split_by="region", **job_fields)
        event = result_of(job, ALL_ROWS, 4, **fields)
        files, slices = b"", []
        for value, (recipients, rows) in SLICES_OF.items():
            csv = "\n".join(["region,amount,secret", *rows, *(f"{value},0,x{number}" for number in range(padding)), ""])
            written = SliceFile(
                format="csv", offset=len(files), size=len(csv), sha256=hashlib.sha256(csv.encode()).hexdigest()
            )
            files += csv.encode()
            slices.append(ResultSlice(value=value, recipients=recipients, rows=len(rows) + padding, files=(written,)))
        index = await store.put(job.job_name, event.run_id, io.BytesIO(SLICES.dump_json(tuple(slices))), 0)
        blob = await store.put(job.job_name, event.run_id, io.BytesIO(files), 0)
        return event.model_copy(update={"split": SplitResult(count=3, index=index, files=blob)})

    return store_split


async def outcomes(log: EventLog, event: ResultReady, count: int) -> list[MailEvent | MailSkipped]:
    """Wait for the outcomes of so many slices."""

    async def found() -> list[MailEvent | MailSkipped] | None:
        events = [one for one in await events_of(log, event.run_id) if isinstance(one, MailEvent | MailSkipped)]
        return events if len(events) >= count else None

    outcome = await eventually(found, f"{count} outcomes of mails are in the log")
    assert isinstance(outcome, list)
    return outcome


async def test_each_recipient_gets_the_rows_of_their_slices_and_nothing_of_another(
    split_result: MakeSplit, event_log: EventLog, start_mailer: Callable[..., MailerProcess], smtp_server: SmtpServer
) -> None:
    job = {"subject": "{{ split_value }} has {{ rows }}", "message": "All of **{{ split_value }}**: {{ rows }}"}
    note = Note(stage="parse", text="line 7 has s2-secret in it")
    event = await split_result(job=job, notes=(note,), log="printed s2-secret")
    start_mailer()
    await event_log.publish(event, message_id=f"{event.run_id}.outcome")
    events = await outcomes(event_log, event, 3)
    assert {one.split_value for one in events} == {"north", "south", "east"}
    assert sorted(smtp_server.recipients) == [
        "amy@example.com",
        "ann@example.com",
        "ann@example.com",
        "bob@example.com",
    ]
    for recipient, mail in smtp_server.accepted:
        [attachment] = mail.iter_attachments()
        rows = attachment.get_content().splitlines()[1:]
        value = rows[0].partition(",")[0]
        assert (rows, recipient in SLICES_OF[value][0]) == (SLICES_OF[value][1], True)
        assert mail["To"] == recipient
        assert mail["Subject"] == f"{value} has {len(rows)}"
        assert f"region: {value}" in text_of(mail, "plain")
        assert f"All of **{value}**: {len(rows)}" in text_of(mail, "plain")
        for kind in ("plain", "html"):
            assert "Your part of the result is attached as" in text_of(mail, kind)
        assert value in str(attachment.get_filename())
        others = set().union(*(SECRETS[other] for other in SECRETS if other != value))
        whole = mail.as_string() + text_of(mail, "plain") + text_of(mail, "html") + attachment.get_content()
        assert not [secret for secret in others if secret in whole]
    for one in events:
        assert isinstance(one, MailSent)
        of_slice = [mail for _, mail in smtp_server.accepted if mail["Message-ID"] == one.message_id]
        assert len(of_slice) == len(one.recipients)
        [attachment] = of_slice[0].iter_attachments()
        assert hashlib.sha256(attachment.get_content().encode()).hexdigest() == one.attachment_sha256
    assert len({one.message_id for one in events if isinstance(one, MailSent)}) == 3


async def test_without_templates_subject_and_file_name_have_the_value(
    split_result: MakeSplit, event_log: EventLog, start_mailer: Callable[..., MailerProcess], smtp_server: SmtpServer
) -> None:
    event = await split_result()
    start_mailer()
    await event_log.publish(event)
    await outcomes(event_log, event, 3)
    assert {str(mail["Subject"]) for mail in smtp_server.mails} == {
        f"{event.job_name} · {value} · 2026-11-23 09:00" for value in SLICES_OF
    }


async def test_a_mailer_that_is_killed_between_slices_sends_the_others_once(
    split_result: MakeSplit, event_log: EventLog, start_mailer: Callable[..., MailerProcess], smtp_server: SmtpServer
) -> None:
    smtp_server.on_rcpt = hang = Hang("bob@example.com", then=None)
    event = await split_result()
    mailer = start_mailer()
    await event_log.publish(event)

    async def recorded() -> bool:
        ledger = await event_log._js.stream_info(f"KV_{MAILED}")
        return hang.is_reached and ledger.state.messages == len(smtp_server.recipients) == 3

    await eventually(recorded, "the ledger has the mails of the other slices")
    mailer.kill()
    hang.release()
    start_mailer()
    events = await outcomes(event_log, event, 3)
    assert sorted(smtp_server.recipients) == [
        "amy@example.com",
        "ann@example.com",
        "ann@example.com",
        "bob@example.com",
    ]
    assert [type(one) for one in events] == [MailSent] * 3


async def test_a_slice_that_waits_or_is_refused_does_not_hold_the_others(
    split_result: MakeSplit, event_log: EventLog, start_mailer: Callable[..., MailerProcess], smtp_server: SmtpServer
) -> None:
    replies = {"bob@example.com": "550 5.1.1 no such user", "amy@example.com": "451 4.3.0 later"}

    async def reply(recipient: str) -> str | None:
        return replies.get(recipient)

    smtp_server.on_rcpt = reply
    event = await split_result()
    start_mailer()
    await event_log.publish(event)

    async def settled() -> bool:
        events = await events_of(event_log, event.run_id)
        return sum(isinstance(one, MailEvent) for one in events) == 2 and any(
            isinstance(one, MailDeferred) for one in events
        )

    await eventually(settled, "two slices have an outcome, and one waits")
    del replies["amy@example.com"]
    events = await outcomes(event_log, event, 3)
    by_value = {one.split_value: one for one in events}
    assert {value: type(one) for value, one in by_value.items()} == {
        "north": MailSent,
        "south": MailFailed,
        "east": MailSent,
    }
    assert len(events) == 3
    assert sorted(smtp_server.recipients) == ["amy@example.com", "ann@example.com", "ann@example.com"]
    [deferred] = [one for one in await events_of(event_log, event.run_id) if isinstance(one, MailDeferred)]
    assert deferred.split_value == "north"


async def test_a_slice_whose_recipients_unsubscribed_is_skipped(
    split_result: MakeSplit, event_log: EventLog, start_mailer: Callable[..., MailerProcess], smtp_server: SmtpServer
) -> None:
    event = await split_result()
    left = RecipientUnsubscribed(
        job_name=event.job_name, job_id=event.job.job_id, actor="recipient", address="ann@example.com"
    )
    await event_log.publish(left)
    start_mailer()
    await event_log.publish(event)
    events = await outcomes(event_log, event, 3)
    assert sorted(smtp_server.recipients) == ["amy@example.com", "bob@example.com"]
    [skipped] = [one for one in events if isinstance(one, MailSkipped)]
    assert (skipped.split_value, skipped.reason) == ("east", "unsubscribed")


async def test_a_job_that_is_deleted_between_slices_stops_the_others_and_says_so(
    split_result: MakeSplit, event_log: EventLog, start_mailer: Callable[..., MailerProcess], smtp_server: SmtpServer
) -> None:
    async def reply(recipient: str) -> str | None:
        return None if recipient == "bob@example.com" else "451 4.3.0 later"

    smtp_server.on_rcpt = reply
    event = await split_result()
    start_mailer()
    await event_log.publish(event)
    await outcomes(event_log, event, 1)
    deleted = JobDeleted(job_name=event.job_name, job_id=event.job.job_id, actor="test", job_version=1)
    await event_log.publish(deleted)
    events = await outcomes(event_log, event, 3)
    fates = {one.split_value: (type(one), getattr(one, "reason", None)) for one in events}
    assert fates == {
        "south": (MailSent, None),
        "north": (MailSkipped, "deleted"),
        "east": (MailSkipped, "deleted"),
    }
    assert smtp_server.recipients == ["bob@example.com"]
    assert not [one for one in await events_of(event_log, event.run_id) if isinstance(one, RunSkipped)]


async def test_a_slice_is_sent_again_to_one_recipient(
    split_result: MakeSplit, event_log: EventLog, start_mailer: Callable[..., MailerProcess], smtp_server: SmtpServer
) -> None:
    event = await split_result()
    start_mailer()
    stored = await event_log.publish(event)
    await outcomes(event_log, event, 3)
    first = len(smtp_server.recipients)
    for number, (split_value, expected) in enumerate((("north", ["north"]), (None, ["east", "north"]))):
        before = len(await outcomes(event_log, event, 0))
        request = MailRequested(
            job_name=event.job_name,
            run_id=event.run_id,
            request_id=uuid4(),
            outcome_sequence=stored.sequence,
            recipients=("ann@example.com",),
            actor="test",
            split_value=split_value,
        )
        await event_log.publish(request)
        await outcomes(event_log, event, before + len(expected))
        again = smtp_server.accepted[first:]
        first = len(smtp_server.recipients)
        assert {recipient for recipient, _ in again} == {"ann@example.com"}, number
        values = [next(mail.iter_attachments()).get_content().splitlines()[1].partition(",")[0] for _, mail in again]
        assert sorted(values) == expected
    assert len({mail["Message-ID"] for mail in smtp_server.mails}) == 6


async def test_a_slice_too_large_for_a_mail_has_a_link_to_itself_only(
    split_result: MakeSplit, event_log: EventLog, start_mailer: Callable[..., MailerProcess], smtp_server: SmtpServer
) -> None:
    event = await split_result(padding=400)
    start_mailer(
        public_url="https://nightmail.example.com", secret_key="k" * 32, max_attachment_bytes=str(64 * 1024 + 100)
    )
    await event_log.publish(event)
    await outcomes(event_log, event, 3)
    for recipient, mail in smtp_server.accepted:
        assert not list(mail.iter_attachments())
        text = text_of(mail, "plain")
        [link] = [word for word in text.split() if PATHS[SLICE] in word]
        payload = read("k" * 32, SLICE, link.rpartition("/")[2])
        assert payload["run"] == str(event.run_id)
        [value] = [value for value in SLICES_OF if slice_id(value) == payload["slice"]]
        assert recipient in SLICES_OF[value][0]
        assert "/shared/results/" not in text


async def test_a_result_that_an_older_runner_did_not_split_is_not_mailed(
    event_log: EventLog,
    make_job: Callable[..., Job],
    start_mailer: Callable[..., MailerProcess],
    smtp_server: SmtpServer,
) -> None:
    event = result_of(make_job(split_by="region", recipients_by="manager"))
    start_mailer()
    await event_log.publish(event)
    failed = await mail_event(event_log, event.run_id)
    assert isinstance(failed, MailFailed)
    assert "did not split" in failed.reason
    assert smtp_server.recipients == []


async def test_slices_that_are_kept_no_longer_are_an_undelivered_run(
    split_result: MakeSplit,
    event_log: EventLog,
    nats_client: Client,
    start_mailer: Callable[..., MailerProcess],
    smtp_server: SmtpServer,
) -> None:
    event = await split_result()
    assert event.split is not None
    store = await nats_client.jetstream().object_store("RESULTS")
    await store.delete(event.split.files.object_name or "")
    start_mailer()
    await event_log.publish(event)
    failed = await mail_event(event_log, event.run_id)
    assert isinstance(failed, MailFailed)
    assert failed.reason == "the result is kept no longer"
    assert smtp_server.recipients == []


async def test_a_split_result_without_rows_is_mailed_to_nobody(
    event_log: EventLog,
    make_job: Callable[..., Job],
    start_mailer: Callable[..., MailerProcess],
    smtp_server: SmtpServer,
) -> None:
    event = result_of(make_job(split_by="region", recipients_by="manager"), b"region,manager\n", 0)
    start_mailer()
    await event_log.publish(event)
    [skipped] = await outcomes(event_log, event, 1)
    assert isinstance(skipped, MailSkipped)
    assert (skipped.reason, skipped.split_value) == ("empty", None)
    assert smtp_server.recipients == []
