"""Which mails an event asks for: failure streaks, unsubscribes, mails sent again, large results."""

import hashlib
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from nats.js.object_store import ObjectStore

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import RESULTS, STREAKS
from nightmail_common.contract.blob import Blob, ResultFigure, ResultFile
from nightmail_common.contract.events import (
    MailFailed,
    MailRequested,
    MailSent,
    MailSkipped,
    Note,
    RecipientUnsubscribed,
    ResultReady,
    RunFailed,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.signing import RESULT, UNSUBSCRIBE, pseudonym, read
from nightmail_mailer.records.failure_streaks import NOTIFY_INTERVAL, FailureStreak, FailureStreaks, with_failure
from support.deadlines import eventually, scaled
from support.mailer_process import CSV, MailerProcess, events_of, failure_of, mail_event, result_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]
KEY = "k" * 32
LINKS = {"public_url": "https://nightmail.example.com", "secret_key": KEY}
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


async def skipped(log: EventLog, event: ResultReady) -> MailSkipped:
    async def last_event() -> MailSkipped | None:
        last = (await events_of(log, event.run_id))[-1]
        return last if isinstance(last, MailSkipped) else None

    found: MailSkipped = await eventually(last_event, "the log says that the mail is skipped")
    return found


def failures(*minutes: int) -> FailureStreak:
    streak = None
    for number, minute in enumerate(minutes, start=1):
        streak = with_failure(streak, number, MORNING + timedelta(minutes=minute))
    assert streak is not None
    return streak


def test_the_first_failure_is_mailed_and_then_one_an_hour_with_the_count() -> None:
    assert failures(0).notified == 1
    assert failures(0, 1, 2, 59).notified == 1
    later = failures(0, 1, 2, 60)
    assert (later.notified, later.count, later.since) == (4, 4, MORNING)


def test_a_redelivered_failure_counts_once_and_is_decided_as_before() -> None:
    streak = failures(0, 1)
    assert with_failure(streak, 1, MORNING) == streak
    assert with_failure(streak, 2, MORNING + timedelta(minutes=1)) == streak


def test_a_streak_is_stored_under_the_field_names_of_the_first_version() -> None:
    stored = (
        b'{"since":"2026-11-23T09:00:00Z","first":1,"count":1,"counted":[1],"told":1,"told_at":"2026-11-23T09:00:00Z"'
    )
    stored += b',"recovery":null}'
    assert FailureStreak.model_validate_json(stored) == failures(0)
    assert failures(0).model_dump_json().encode() == stored


def test_a_job_that_fails_and_recovers_in_turn_mails_failures_at_most_once_an_hour() -> None:
    ended = failures(0).model_copy(update={"recovery": 2})
    again = with_failure(ended, 3, MORNING + timedelta(minutes=5))
    assert (again.notified, again.count) == (None, 1)
    assert with_failure(again, 4, MORNING + NOTIFY_INTERVAL).notified == 4


async def test_only_the_first_result_after_a_streak_is_a_recovery(event_log: EventLog) -> None:
    streaks = FailureStreaks(await event_log._js.key_value(STREAKS))
    job_id = uuid4()
    await streaks.failed(job_id, 10, MORNING)
    assert await streaks.recovered(job_id, 9) is None
    first = await streaks.recovered(job_id, 11)
    assert first is not None
    assert await streaks.recovered(job_id, 11) == first
    assert await streaks.recovered(job_id, 12) is None


async def test_a_failure_streak_is_mailed_once_and_so_is_the_recovery(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer()
    job = make_job()
    first, *others = [failure_of(job) for _ in range(4)]
    await event_log.publish(first)
    await mail_event(event_log, first.run_id)
    for event in others:
        await event_log.publish(event)
    for event in others:

        async def is_skipped(event: RunFailed = event) -> bool:
            return any(isinstance(one, MailSkipped) for one in await events_of(event_log, event.run_id))

        await eventually(is_skipped, "the failure's mail is skipped")
    for _ in range(2):
        result = result_of(job)
        await event_log.publish(result)
        await mail_event(event_log, result.run_id)
    await eventually(lambda: len(smtp_server.recipients) >= 4, "all mails are there")
    assert sorted(mail["Subject"].partition(" · ")[0] for mail in smtp_server.mails) == [
        "daily sales",
        "daily sales",
        "daily sales failed",
        "daily sales works again",
    ]


async def test_an_unsubscribed_recipient_gets_no_more_mail_of_that_job_and_still_of_others(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    job, other = make_job(consumer_emails=["a@example.com", "B@example.com"]), make_job(job_name="other")
    unsubscribed = RecipientUnsubscribed(
        job_name=job.job_name, job_id=job.job_id, actor="recipient", address="a@example.com"
    )
    await event_log.publish(unsubscribed)
    start_mailer(**LINKS)
    one, two = result_of(job), result_of(other)
    await event_log.publish(one)
    await event_log.publish(two)
    await mail_event(event_log, one.run_id)
    await mail_event(event_log, two.run_id)
    assert sorted(smtp_server.recipients) == ["B@example.com", "reports@example.com"]
    await event_log.publish(unsubscribed.model_copy(update={"address": "b@example.com"}))

    async def nobody_is_subscribed() -> bool:
        event = result_of(job)
        await event_log.publish(event)
        await eventually(lambda: _has_outcome(event_log, event), "the log has the outcome")
        return any(isinstance(one, MailSkipped) for one in await events_of(event_log, event.run_id))

    await eventually(nobody_is_subscribed, "the mailer knows that everybody unsubscribed")


async def _has_outcome(log: EventLog, event: ResultReady) -> bool:
    return len(await events_of(log, event.run_id)) > 1


async def test_only_the_api_can_read_job_and_recipient_from_the_unsubscribe_link(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer(**LINKS)
    job = make_job()
    event = result_of(job)
    await event_log.publish(event)
    await mail_event(event_log, event.run_id)
    url = smtp_server.mails[0]["List-Unsubscribe"].strip("<>")
    assert read(KEY, UNSUBSCRIBE, url.rpartition("/")[2]) == {
        "job": str(job.job_id),
        "recipient": pseudonym(KEY, job.job_id, "reports@example.com"),
    }


async def test_a_mail_is_sent_again_to_one_recipient_with_its_own_message_id(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer()
    event = result_of(make_job(consumer_emails=["a@example.com", "b@example.com"]))
    stored = await event_log.publish(event)
    first = await mail_event(event_log, event.run_id)
    await event_log.publish(
        MailRequested(
            job_name=event.job_name,
            run_id=event.run_id,
            request_id=uuid4(),
            outcome_sequence=stored.sequence,
            recipients=("b@example.com", "stranger@example.com"),
            actor="admin",
        )
    )
    again = await mail_event(event_log, event.run_id, count=2)
    assert isinstance(again, MailSent)
    assert [one.address for one in again.recipients] == ["b@example.com"]
    assert again.message_id != first.message_id
    assert sorted(smtp_server.recipients) == ["a@example.com", "b@example.com", "b@example.com"]


async def _stored(event_log: EventLog, event: ResultReady, csv: bytes) -> ResultReady:
    store: ObjectStore = await event_log._js.object_store(RESULTS)
    await store.put(str(event.run_id), csv)
    blob = Blob(size=len(csv), sha256=event.csv.sha256, bucket=RESULTS, object_name=str(event.run_id))
    return event.model_copy(update={"csv": blob})


async def test_a_result_over_the_servers_size_is_compressed_and_one_over_the_setting_is_linked(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    smtp_server.stop()
    smtp_server.data_size_limit = 500_000
    smtp_server.start()
    start_mailer(max_attachment_bytes="10MiB", **LINKS)
    soft = b"n\n" + b"".join(b"%d\n" % (number % 10) for number in range(300_000))
    hard = b"n\n" + b"".join(b"%d\n" % (number * 2654435761 % 2**32) for number in range(200_000))
    for csv, rows in ((soft, 300_000), (hard, 200_000)):
        event = await _stored(event_log, result_of(make_job(), csv=csv, rows=rows), csv)
        await event_log.publish(event)
        assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    compressed, linked = smtp_server.mails
    assert [part.get_filename() for part in compressed.iter_attachments()] == ["daily sales 2026-11-23.zip"]
    assert not list(linked.iter_attachments())
    body = linked.get_body(("plain",))
    assert body is not None
    token = body.get_content().partition("/shared/results/")[2].split()[0]
    assert read(KEY, RESULT, token) == {"run": linked["X-Nightmail-Run"]}


async def test_cc_and_bcc_get_results_of_their_own_and_failure_emails_the_failures(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer()
    job = make_job(
        consumer_emails=["reader@example.com"],
        cc=["boss@example.com", "reader@example.com"],
        bcc=["auditor@example.com"],
        failure_emails=["owner@example.com"],
    )
    result, failure, recovered = result_of(job), failure_of(job), result_of(job)
    for event, count, recipients in (
        (result, 1, ["reader@example.com", "boss@example.com", "auditor@example.com"]),
        (failure, 1, ["owner@example.com"]),
        (recovered, 2, ["owner@example.com"]),
    ):
        await event_log.publish(event)
        sent = await mail_event(event_log, event.run_id, count)
        assert [one.address for one in sent.recipients] == recipients


async def test_a_mail_carries_the_files_that_the_job_asks_for(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer()
    workbook = b"PK workbook"
    blob = Blob(size=len(workbook), sha256=hashlib.sha256(workbook).hexdigest(), data=workbook)
    files = (ResultFile(format="xlsx", blob=blob),)
    for formats, names in ((["xlsx"], ["xlsx"]), (["csv", "xlsx"], ["csv", "xlsx"]), (["csv"], ["csv"])):
        event = result_of(make_job(attachments=formats), attachments=files)
        await event_log.publish(event)
        sent = await mail_event(event_log, event.run_id)
        assert isinstance(sent, MailSent)
        assert sent.attachment_sha256 == (blob.sha256 if formats == ["xlsx"] else event.csv.sha256)
        attached = {
            part.get_filename(): part.get_payload(decode=True) for part in smtp_server.mails[-1].iter_attachments()
        }
        contents = {"csv": CSV, "xlsx": workbook}
        assert attached == {f"daily sales 2026-11-23.{name}": contents[name] for name in names}


def drawn(number: int, data: bytes, **place: str) -> ResultFigure:
    sha256 = hashlib.sha256(data).hexdigest()
    blob = Blob(size=len(data), sha256=sha256, **place) if place else Blob(size=len(data), sha256=sha256, data=data)
    return ResultFigure(name=f"figure-{number}.png", alt=f'Chart "{number}" & more.', width=1280, height=960, blob=blob)


async def test_figures_are_images_of_the_mail_between_its_table_and_its_notes(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer(**LINKS)
    first, second = os.urandom(1000), os.urandom(1000)
    await (await event_log._js.object_store(RESULTS)).put("a-figure", second)
    figures = (drawn(1, first), drawn(2, second, bucket=RESULTS, object_name="a-figure"))
    event = result_of(make_job(), figures=figures, notes=(Note(stage="parse", text="a note"),))
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)

    [mail] = smtp_server.mails
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "image/png",
        "text/csv",
    ]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["daily sales 2026-11-23.csv"]
    images = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert [image.get_payload(decode=True) for image in images] == [first, second]
    page, text = (mail.get_body((kind,)) for kind in ("html", "plain"))
    assert page is not None
    assert text is not None
    shown = re.findall(r'<img src="cid:([^"]+)" alt="([^"]+)" width="640"', page.get_content())
    assert [f"<{content_id}>" for content_id, _ in shown] == [image["Content-ID"] for image in images]
    assert [unescape(alt) for _, alt in shown] == ['Chart "1" & more.', 'Chart "2" & more.']
    places = [page.get_content().index(what) for what in ("</table>", "<img", "a note")]
    assert places == sorted(places)
    assert '[figure-1.png] Chart "1" & more.' in text.get_content()


@pytest.mark.parametrize(
    ("csv_bytes", "figure_bytes", "links", "attached", "images"),
    [
        (100, 60_000, {}, "csv", 2),
        (100, 300_000, {}, "csv", 0),  # the server's limit is asked for before
        (100, 90_000, {}, "csv", 0),  # the server refuses a small mail first
        (250_000, 90_000, {}, "csv", 0),
        (250_000, 90_000, LINKS, None, 2),
        (1_000_000, 300_000, LINKS, None, 0),
    ],
)
async def test_a_mail_that_is_too_large_with_its_figures_says_so_and_has_the_data(
    start_mailer: Start,
    smtp_server: SmtpServer,
    event_log: EventLog,
    make_job: MakeJob,
    csv_bytes: int,
    figure_bytes: int,
    links: dict[str, str],
    attached: str | None,
    images: int,
) -> None:
    smtp_server.stop()
    smtp_server.data_size_limit = 200_000 if csv_bytes == 100 and figure_bytes < 300_000 else 450_000
    smtp_server.start()
    start_mailer(**links)
    csv = b"n\n" + b"".join(b"%d\n" % (number * 2654435761 % 2**32) for number in range(csv_bytes // 10))
    figures = (drawn(1, os.urandom(figure_bytes)), drawn(2, os.urandom(figure_bytes)))
    event = result_of(make_job(), csv=csv, rows=csv_bytes // 10, figures=figures)
    stored = [await _stored_figure(event_log, figure) for figure in figures]
    event = await _stored(event_log, event.model_copy(update={"figures": tuple(stored)}), csv)
    await event_log.publish(event)
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)

    [mail] = smtp_server.mails
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert names == ([f"daily sales 2026-11-23.{attached}"] if attached else [])
    assert len([part for part in mail.walk() if part.get_content_type() == "image/png"]) == images
    body = mail.get_body(("plain",))
    assert body is not None
    assert (f"nightmail runs figures {event.run_id}" in body.get_content()) == (images == 0)


async def _stored_figure(event_log: EventLog, figure: ResultFigure) -> ResultFigure:
    data, name = figure.blob.data, figure.blob.sha256
    assert data is not None
    await (await event_log._js.object_store(RESULTS)).put(name, data)
    blob = figure.blob.model_copy(update={"data": None, "bucket": RESULTS, "object_name": name})
    return figure.model_copy(update={"blob": blob})


async def test_the_mail_of_an_expired_result_fails(start_mailer: Start, event_log: EventLog, make_job: MakeJob) -> None:
    start_mailer()
    event = result_of(make_job())
    blob = Blob(size=3, sha256=event.csv.sha256, bucket=RESULTS, object_name="gone")
    await event_log.publish(event.model_copy(update={"csv": blob}))
    failed = await mail_event(event_log, event.run_id)
    assert isinstance(failed, MailFailed)
    assert failed.reason == "the result is kept no longer"


async def test_from_a_result_to_its_mail_takes_milliseconds(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    mailer = start_mailer()
    await mailer.ready()
    took = []
    for number in range(1, 12):
        begun = time.monotonic()
        await event_log.publish(result_of(make_job()))
        await eventually(lambda count=number: len(smtp_server.recipients) == count, "the mail is there")  # type: ignore[misc]
        took.append(time.monotonic() - begun)
    assert min(took) < scaled(0.06), took
