"""Every mail arrives, whatever the server replies and whenever the mailer dies."""

import asyncio
import hashlib
import io
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NoKeysError
from nats.js.kv import KeyValue

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.streams import ACK_WAIT_SECONDS, MAILED, MAILER_QUEUE, RESULTS, STREAKS, STREAM
from nightmail_common.contract.blob import Blob
from nightmail_common.contract.events import MailFailed, MailSent, MailSkipped, ResultReady
from nightmail_common.contract.job import Job
from support.deadlines import eventually, scaled
from support.mailer_process import CSV, MailerProcess, events_of, failure_of, mail_event, mail_events, result_of
from support.nats_server import NatsServer
from support.smtp_server import DROP, Hang, Once, SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]


async def test_each_recipient_gets_a_mail_without_the_addresses_of_the_others(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer()
    event = result_of(make_job(consumer_emails=["a@example.com", "b@example.com"]))
    await event_log.publish(event)
    sent = await mail_event(event_log, event.run_id)
    assert isinstance(sent, MailSent)
    assert {one.address: one.outcome for one in sent.recipients} == {
        "a@example.com": "accepted",
        "b@example.com": "accepted",
    }
    assert sent.attachment_sha256 == event.csv.sha256
    assert sorted(smtp_server.recipients) == ["a@example.com", "b@example.com"]
    for recipient, mail in smtp_server.accepted:
        assert [one.addr_spec for one in mail["To"].addresses] == [recipient]
        assert [part.get_content().encode() for part in mail.iter_attachments()] == [CSV]


async def test_a_failure_is_mailed_only_if_its_job_notifies_on_failure(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer()
    quiet = failure_of(make_job(job_name="quiet", notify_on_failure=False))
    loud = failure_of(make_job(job_name="loud"))
    await event_log.publish(quiet)
    await event_log.publish(loud)
    sent = await mail_event(event_log, loud.run_id)
    assert sent.kind == "failure"
    assert [mail["Subject"] for mail in smtp_server.mails] == ["loud failed · 2026-11-23 09:00"]
    assert await events_of(event_log, quiet.run_id) == [quiet]


async def test_a_permanently_refused_recipient_is_in_the_outcome_and_the_others_get_their_mail(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    async def no_such_user(recipient: str) -> str | None:
        return f"550 <{recipient}>: no such user" if recipient.startswith("nobody") else None

    smtp_server.on_rcpt = no_such_user
    start_mailer()
    partly = result_of(make_job(consumer_emails=["a@example.com", "nobody@example.com"]))
    wholly = result_of(make_job(consumer_emails=["nobody@example.com"]))
    await event_log.publish(partly)
    await event_log.publish(wholly)
    sent = await mail_event(event_log, partly.run_id)
    assert [(one.outcome, one.answer) for one in sent.recipients] == [
        ("accepted", "250 taken"),
        ("refused", "550 (address): no such user"),
    ]
    assert isinstance(await mail_event(event_log, wholly.run_id), MailFailed)


async def test_the_ledger_and_the_streaks_hold_no_address(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    """Their values cannot be overwritten when a job is erased (docs/decisions/0302)."""

    async def quote(recipient: str) -> str | None:
        return f"550 5.1.1 <{recipient}> {recipient.upper()} unknown" if recipient.startswith("nobody") else None

    smtp_server.on_rcpt = quote
    start_mailer()
    job = make_job(consumer_emails=["a@example.com", "nobody@example.com"])
    result, failure = result_of(job), failure_of(job)
    for event in (result, failure):
        await event_log.publish(event)
        await mail_event(event_log, event.run_id)
    for bucket in (MAILED, STREAKS):
        store = await event_log._js.key_value(bucket)

        async def keys(store: KeyValue = store) -> list[str]:
            with suppress(NoKeysError):
                return await store.keys()
            return []

        for key in await eventually(keys, f"{bucket} has an entry"):
            value = (await store.get(key)).value or b""
            assert "example.com" not in f"{key} {value.decode()}".lower()
            # A ledger entry is purged with its run; a streak holds no personal data.
            assert key.startswith((str(result.run_id), str(failure.run_id), str(job.job_id)))


async def test_a_deferred_mail_arrives_later_and_once(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    smtp_server.on_rcpt = Once({"a@example.com": "451 later", "b@example.com": DROP})
    smtp_server.after_data = Once({"c@example.com": "451 later", "d@example.com": DROP})
    start_mailer()
    recipients = [f"{name}@example.com" for name in "abcde"]
    event = result_of(make_job(consumer_emails=recipients))
    await event_log.publish(event)
    sent = await mail_event(event_log, event.run_id)
    assert isinstance(sent, MailSent)
    assert {one.outcome for one in sent.recipients} == {"accepted"}
    assert Counter(smtp_server.recipients) == dict.fromkeys(recipients, 1)


async def test_a_server_that_never_replies_after_data_gets_three_copies_and_the_outcome_is_uncertain(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    async def drop(_: str) -> str | None:
        return DROP

    smtp_server.after_accepting = drop
    start_mailer()
    event = result_of(make_job())
    await event_log.publish(event)
    failed = await mail_event(event_log, event.run_id)
    assert isinstance(failed, MailFailed)
    assert [one.outcome for one in failed.recipients] == ["uncertain"]
    assert len(smtp_server.mails) == 3
    assert {mail["Message-ID"] for mail in smtp_server.mails} == {failed.message_id}


async def test_mails_that_hang_do_not_delay_the_others(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    hangs = {
        "rcpt@example.com": Hang("rcpt@example.com", then=None),
        "data@example.com": Hang("data@example.com", None),
    }
    smtp_server.on_rcpt, smtp_server.after_data = hangs.values()
    start_mailer()
    slow = [result_of(make_job(consumer_emails=[recipient])) for recipient in hangs for _ in range(10)]
    for event in slow:
        await event_log.publish(event)
    await eventually(lambda: any(hang.is_reached for hang in hangs.values()), "a mail hangs")
    begun = time.monotonic()
    others = [result_of(make_job()) for _ in range(20)]
    for event in others:
        await event_log.publish(event)
    await mail_events(event_log, others)
    assert time.monotonic() - begun < scaled(10)
    assert set(smtp_server.recipients) == {"reports@example.com"}
    for hang in hangs.values():
        hang.release()
    assert all(isinstance(event, MailSent) for event in await mail_events(event_log, slow))
    assert len(smtp_server.recipients) == 40


async def test_a_server_with_a_low_limit_of_connections_gets_all_mails(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    smtp_server.max_connections = 3
    start_mailer()
    events = [result_of(make_job(consumer_emails=[f"{number}@example.com"])) for number in range(60)]
    for event in events:
        await event_log.publish(event)
    assert all(isinstance(event, MailSent) for event in await mail_events(event_log, events))
    assert len(smtp_server.recipients) == 60


@pytest.fixture
async def sent_without_broker(
    start_mailer: Start,
    smtp_server: SmtpServer,
    event_log: EventLog,
    make_job: MakeJob,
    nats_server: NatsServer,
) -> ResultReady:
    """Return the event whose mail a mailer has sent while the broker died, which is still away."""
    hang = Hang("reports@example.com", then=None)
    smtp_server.after_data = hang
    start_mailer()
    event = result_of(make_job())
    await event_log.publish(event)
    await eventually(lambda: hang.is_reached, "the mail is being sent")
    nats_server.kill()
    hang.release()
    await eventually(lambda: smtp_server.recipients, "the server has the mail")
    return event


async def test_a_mail_is_sent_although_the_broker_dies_during_the_send(
    sent_without_broker: ResultReady, event_log: EventLog, nats_server: NatsServer
) -> None:
    nats_server.start()
    assert isinstance(await mail_event(event_log, sent_without_broker.run_id), MailSent)


async def test_a_mail_is_sent_once_although_another_mailer_reaches_the_restarted_broker_first(
    sent_without_broker: ResultReady,
    start_mailer: Start,
    smtp_server: SmtpServer,
    event_log: EventLog,
    nats_server: NatsServer,
    nats_client: Client,
) -> None:
    """The broker was away for longer than its ack wait, and offers the event to the one that connects."""
    start_mailer()
    await asyncio.sleep(ACK_WAIT_SECONDS)
    nats_server.start()

    assert isinstance(await mail_event(event_log, sent_without_broker.run_id), MailSent)

    async def acknowledged() -> bool:
        info = await nats_client.jetstream().consumer_info(STREAM, MAILER_QUEUE.durable)
        return (info.num_ack_pending, info.num_pending) == (0, 0)

    await eventually(acknowledged, "the event is acknowledged")
    assert smtp_server.recipients == ["reports@example.com"]


async def test_the_next_mailer_sends_the_mails_of_a_killed_one_and_a_duplicate_has_the_same_message_id(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    """Killed before DATA, before the server kept the mail, and after it (the window of RFC 1047)."""
    copies = {"envelope@example.com": 1, "data@example.com": 1, "kept@example.com": 2}
    hangs = [Hang(recipient) for recipient in copies]
    smtp_server.on_rcpt, smtp_server.after_data, smtp_server.after_accepting = hangs
    mailer = start_mailer()
    events = [result_of(make_job(consumer_emails=[recipient])) for recipient in copies]
    for event in events:
        await event_log.publish(event)
    await eventually(lambda: all(hang.is_reached for hang in hangs), "each mail is at its step")
    mailer.kill()
    for hang in hangs:
        hang.release()
    start_mailer()
    assert all(isinstance(event, MailSent) for event in await mail_events(event_log, events))
    assert Counter(smtp_server.recipients) == copies
    assert len({mail["Message-ID"] for mail in smtp_server.mails}) == len(copies)


async def test_after_a_kill_only_the_recipients_without_the_mail_get_it(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    hang = Hang("late@example.com")
    smtp_server.on_rcpt = hang
    mailer = start_mailer()
    event = result_of(make_job(consumer_emails=["early@example.com", "late@example.com"]))
    await event_log.publish(event)
    await eventually(
        lambda: hang.is_reached and smtp_server.recipients, "one recipient has the mail and the other does not"
    )

    async def recorded() -> bool:
        js = event_log._js
        return bool((await js.stream_info("KV_MAILED")).state.messages)

    await eventually(recorded, "the ledger has the entry")
    mailer.kill()
    hang.release()
    start_mailer()
    sent = await mail_event(event_log, event.run_id)
    assert [one.outcome for one in sent.recipients] == ["accepted", "accepted"]
    assert sorted(smtp_server.recipients) == ["early@example.com", "late@example.com"]


async def test_a_redelivered_event_sends_no_mail_again(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    mailer = start_mailer()
    event = result_of(make_job())
    await event_log.publish(event)
    await mail_event(event_log, event.run_id)
    assert mailer.stop() == 0
    await event_log._js.delete_consumer("EVENTS", "mailer")
    start_mailer()
    marker = result_of(make_job(consumer_emails=["marker@example.com"]))
    await event_log.publish(marker)
    await mail_event(event_log, marker.run_id)
    assert smtp_server.recipients == ["reports@example.com", "marker@example.com"]


async def test_a_mailer_that_stops_hands_back_the_mails_that_hang(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    hang = Hang("reports@example.com")
    smtp_server.on_rcpt = hang
    mailer = start_mailer()
    event = result_of(make_job())
    await event_log.publish(event)
    await eventually(lambda: hang.is_reached, "the mail is being sent")
    assert mailer.stop() == 0
    hang.release()
    start_mailer()
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    assert smtp_server.recipients == ["reports@example.com"]


async def test_an_empty_result_is_skipped_if_its_job_says_so_and_the_log_has_the_reason(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer()
    empty = result_of(make_job(when_empty="skip"), csv=b"region,amount\n", rows=0)
    await event_log.publish(empty)

    async def skipped() -> MailSkipped | None:
        last = (await events_of(event_log, empty.run_id))[-1]
        return last if isinstance(last, MailSkipped) else None

    assert (await eventually(skipped, "the log says that the mail is skipped")).reason == "empty"
    shown = result_of(make_job(), csv=b"region,amount\n", rows=0)
    await event_log.publish(shown)
    assert isinstance(await mail_event(event_log, shown.run_id), MailSent)
    assert len(smtp_server.mails) == 1


async def test_a_damaged_result_ends_as_a_failed_mail_and_is_not_retried(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    js = event_log._js
    large = b"n\n" + b"1234567\n" * 100_000
    info = await (await js.object_store(RESULTS)).put("damaged", large)
    blob = Blob(size=len(large), sha256=hashlib.sha256(large).hexdigest(), bucket=RESULTS, object_name="damaged")
    first_piece = await js.get_msg(f"OBJ_{RESULTS}", 1, f"$O.{RESULTS}.C.{info.nuid}", next=True)
    await js.delete_msg(f"OBJ_{RESULTS}", first_piece.seq or 0)
    start_mailer()
    event = result_of(make_job()).model_copy(update={"csv": blob})
    await event_log.publish(event)
    failed = await mail_event(event_log, event.run_id)
    assert isinstance(failed, MailFailed)
    assert failed.reason == "the result is damaged in the store"

    async def is_acked() -> bool:
        info = await js.consumer_info("EVENTS", "mailer")
        return (info.num_ack_pending, info.num_pending) == (0, 0)

    await eventually(is_acked, "the event is acked")
    assert smtp_server.mails == []


async def test_heartbeats_go_on_while_a_result_of_39_mib_is_read_compressed_and_mailed(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, nats_client: Client, make_job: MakeJob
) -> None:
    csv = b"n,digest\n" + b"".join(
        b"%d,%s\n" % (number, hashlib.sha256(b"%d" % number).hexdigest().encode()) for number in range(600_000)
    )
    assert len(csv) > 39 * 1024 * 1024
    blob = await ResultStore(event_log._js).put("daily sales", uuid4(), io.BytesIO(csv))
    deliveries: list[int] = []

    async def note(message: Msg) -> None:
        # The reply subject of a heartbeat and of an ack counts the deliveries.
        deliveries.append(int(message.subject.split(".")[4]))

    await nats_client.subscribe("$JS.ACK.EVENTS.mailer.>", cb=note)
    start_mailer(max_attachment_bytes="45MiB")
    event = result_of(make_job(), csv=csv, rows=600_000).model_copy(update={"csv": blob})
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    await eventually(lambda: deliveries, "the event is acked")
    assert set(deliveries) == {1}
    [mail] = smtp_server.mails
    [attachment] = mail.iter_attachments()
    with zipfile.ZipFile(io.BytesIO(attachment.get_content())) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [csv]
