"""A refusal is taken for what it is about: the session, the sender, a quota, the size, or the recipient."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.client import Client
from nats.js.errors import NoKeysError
from nats.js.kv import KeyValue

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import MAILED
from nightmail_common.contract.events import MailDeferred, MailEvent, MailFailed, MailSent
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import MAIL_SEND
from nightmail_mailer.records.delivery_ledger import LedgerEntry
from support.deadlines import eventually, scaled
from support.mailer_process import CSV, MailerProcess, events_of, mail_event, mail_events, result_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]


async def ledger_of(log: EventLog) -> KeyValue:
    return await log._js.key_value(MAILED)


async def waiting_entries(log: EventLog, count: int = 1) -> list[tuple[str, LedgerEntry]]:
    """Wait for the ledger's entries of mails that wait; return them with their keys."""
    store = await ledger_of(log)

    async def found() -> list[tuple[str, LedgerEntry]]:
        try:
            keys = await store.keys()
        except NoKeysError:
            return []
        entries = [(key, LedgerEntry.model_validate_json((await store.get(key)).value or b"")) for key in keys]
        waiting = [(key, entry) for key, entry in entries if entry.outcome == "waiting"]
        return waiting if len(waiting) >= count else []

    return list(await eventually(found, "mails wait"))


async def test_a_server_that_takes_two_mails_a_session_gets_all_mails_at_once(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    async def two_a_session(number: int) -> str | None:
        return "452 4.4.5 Too many mails in this session" if number > 2 else None

    smtp_server.on_mail = two_a_session
    mailer = start_mailer()
    await mailer.ready()
    events = [result_of(make_job(consumer_emails=[f"{number}@example.com"])) for number in range(40)]
    for event in events:
        await event_log.publish(event)
    assert all(isinstance(event, MailSent) for event in await mail_events(event_log, events))
    assert sorted(smtp_server.recipients) == sorted(f"{number}@example.com" for number in range(40))


async def test_a_connection_on_which_the_server_refuses_the_data_for_now_is_not_used_again(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    taken: list[str] = []

    async def every_other(recipient: str) -> str | None:
        taken.append(recipient)
        return "451 4.3.0 Not on this connection" if len(taken) % 2 else None

    smtp_server.after_data = every_other
    start_mailer()
    event = result_of(make_job())
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    assert len(taken) == 2


async def test_all_mail_is_held_back_while_the_server_refuses_the_sender_and_sent_once_it_accepts(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    refused, refusal = True, "550 5.7.1 You may not send as this address"  # test_reply_rules.py has the other replies

    async def refuse(_: int) -> str | None:
        return refusal if refused else None

    smtp_server.on_mail = refuse
    mailer = start_mailer()
    events = [result_of(make_job(consumer_emails=[f"{number}@example.com"])) for number in range(10)]
    for event in events:
        await event_log.publish(event)

    async def says_so() -> bool:
        return refusal in (await mailer.readiness()).get("dependencies", {}).get("smtp", "")

    await eventually(says_so, "readiness has the server's reply")
    assert smtp_server.recipients == []
    refused = False
    assert all(isinstance(event, MailSent) for event in await mail_events(event_log, events))
    assert sorted(smtp_server.recipients) == sorted(f"{number}@example.com" for number in range(10))
    await mailer.ready()


@pytest.mark.parametrize(
    ("phase", "refusal"),
    [
        ("rcpt", "550 5.4.5 Daily user sending quota exceeded"),
        ("data", "554 5.2.0 Submission quota exceeded"),
        ("data", "550 5.7.1 Rate limit exceeded"),
        ("rcpt", "550 5.7.1 Access denied"),
    ],
)
async def test_a_quota_or_a_refusal_of_every_recipient_holds_mail_back_for_hours_and_loses_nothing(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob, phase: str, refusal: str
) -> None:
    refused = True

    async def refuse(_: str) -> str | None:
        return refusal if refused else None

    smtp_server.on_rcpt, smtp_server.after_data = (refuse, smtp_server.after_data)[:: 1 if phase == "rcpt" else -1]
    mailer = start_mailer()
    event = result_of(make_job(consumer_emails=["a@example.com", "b@example.com"]))
    await event_log.publish(event)
    entries = await waiting_entries(event_log, 2)
    for _, entry in entries:
        assert entry.answer == refusal
        assert entry.next_attempt is not None
        assert entry.next_attempt - datetime.now(UTC) > timedelta(minutes=50)
    assert not isinstance((await events_of(event_log, event.run_id))[-1], MailEvent)

    # Hours later:
    mailer.kill()
    refused = False
    store = await ledger_of(event_log)
    for key, entry in entries:
        due = entry.model_copy(update={"next_attempt": datetime.now(UTC)})
        await store.put(key, due.model_dump_json().encode())
    await event_log._js.delete_consumer("EVENTS", "mailer")
    start_mailer()
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    assert sorted(smtp_server.recipients) == ["a@example.com", "b@example.com"]


async def test_a_policy_refusal_of_one_recipient_is_final_if_the_server_accepts_the_mail_to_another(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    async def refuse(recipient: str) -> str | None:
        return "550 5.7.1 Access denied" if recipient.startswith("nobody") else None

    smtp_server.on_rcpt = refuse
    start_mailer()
    event = result_of(make_job(consumer_emails=["a@example.com", "nobody@example.com"]))
    await event_log.publish(event)
    sent = await mail_event(event_log, event.run_id)
    assert [one.outcome for one in sent.recipients] == ["accepted", "refused"]


async def test_a_mail_that_the_server_finds_too_large_is_sent_as_a_zip(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    """The server does not announce its limit."""
    csv = b"region,amount\n" + b"north,17\n" * 10_000

    async def refuse_large(_: str) -> str | None:
        return "552 5.3.4 Message size exceeds fixed limit" if len(smtp_server.last_content) > 50_000 else None

    smtp_server.after_data = refuse_large
    start_mailer()
    event = result_of(make_job(), csv=csv, rows=10_000)
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    [mail] = smtp_server.mails
    [attachment] = mail.iter_attachments()
    assert attachment.get_filename() == "daily sales 2026-11-23.zip"
    with zipfile.ZipFile(io.BytesIO(attachment.get_content())) as archive:
        assert archive.read("daily sales 2026-11-23.csv") == csv


@pytest.mark.parametrize("links", [True, False])
async def test_a_mail_that_is_too_large_as_a_zip_has_a_link_or_fails_with_the_reason(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob, links: bool
) -> None:
    async def refuse_attachments(_: str) -> str | None:
        return "552 Message exceeds the limit" if b"attachment" in smtp_server.last_content else None

    smtp_server.after_data = refuse_attachments
    start_mailer(**{"public_url": "https://nightmail.example.com", "secret_key": "k" * 32} if links else {})
    event = result_of(make_job(), csv=CSV)
    await event_log.publish(event)
    outcome = await mail_event(event_log, event.run_id)
    if links:
        assert isinstance(outcome, MailSent)
        [mail] = smtp_server.mails
        assert b"https://nightmail.example.com/" in mail.as_bytes()
        assert list(mail.iter_attachments()) == []
    else:
        assert isinstance(outcome, MailFailed)
        assert "too large" in outcome.recipients[0].answer
        assert "552 Message exceeds the limit" in outcome.recipients[0].answer


async def test_a_mailed_preview_that_is_too_large_says_to_save_and_run_the_job(
    start_mailer: Start, smtp_server: SmtpServer, nats_client: Client, make_job: MakeJob
) -> None:
    async def refuse(_: str) -> str:
        return "552 Message exceeds the limit"

    smtp_server.after_data = refuse
    await start_mailer().ready()
    event = result_of(make_job(), csv=CSV)
    request = json.dumps({"result": event.model_dump(mode="json"), "recipient": "me@example.com"}).encode()
    answer = json.loads((await nats_client.request(MAIL_SEND, request, timeout=scaled(20))).data)
    assert answer["outcome"] == "refused"
    assert "save the job and run it" in answer["answer"]
    assert "552 Message exceeds the limit" in answer["answer"]


async def test_a_waiting_mail_is_an_event_with_the_answer_and_the_next_attempt_but_not_at_each_attempt(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    refusals: list[str] = []

    async def defer(recipient: str) -> str | None:
        if not recipient.startswith("slow"):
            return None
        refusals.append(recipient)
        return f"450 4.2.0 <{recipient}> Greylisted" if len(refusals) < 3 else None

    smtp_server.on_rcpt = defer
    start_mailer()
    event = result_of(make_job(consumer_emails=["a@example.com", "slow@example.com"]))
    await event_log.publish(event)
    sent = await mail_event(event_log, event.run_id)
    assert [one.outcome for one in sent.recipients] == ["accepted", "accepted"]
    assert len(refusals) == 3
    [deferred] = [one for one in await events_of(event_log, event.run_id) if isinstance(one, MailDeferred)]
    [waiting] = deferred.recipients
    assert (waiting.address, waiting.answer, waiting.attempts) == (
        "slow@example.com",
        "450 4.2.0 (address) Greylisted",
        1,
    )
    assert timedelta(0) < waiting.next_attempt - waiting.since < timedelta(minutes=1)
    assert [(one.address, one.outcome) for one in deferred.settled] == [("a@example.com", "accepted")]
    assert deferred.message_id == sent.message_id


async def test_a_mail_that_the_server_defers_for_five_days_is_given_up_and_says_so(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    async def defer(recipient: str) -> str | None:
        return "450 4.2.0 Later" if recipient.startswith("slow") else None

    smtp_server.on_rcpt = defer
    mailer = start_mailer()
    event = result_of(make_job(consumer_emails=["a@example.com", "slow@example.com"]))
    await event_log.publish(event)
    [(key, entry)] = await waiting_entries(event_log)
    mailer.kill()
    old = entry.model_copy(update={"since": datetime.now(UTC) - timedelta(days=5), "next_attempt": datetime.now(UTC)})
    await (await ledger_of(event_log)).put(key, old.model_dump_json().encode())
    await event_log._js.delete_consumer("EVENTS", "mailer")
    start_mailer()
    sent = await mail_event(event_log, event.run_id)
    assert [one.outcome for one in sent.recipients] == ["accepted", "refused"]
    assert sent.recipients[1].answer.startswith("given up after 5 days and ")
    assert sent.recipients[1].answer.endswith("450 4.2.0 Later")
