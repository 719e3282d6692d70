"""A mail of a deleted job that has not gone does not go; one that is on its way arrives."""

import asyncio
import threading
from collections.abc import Callable

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobDeleted, MailSent, MailSkipped, ResultReady, RunFailed, RunSkipped
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.mailer_process import MailerProcess, events_of, failure_of, mail_event, result_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]


async def delete(log: EventLog, event: ResultReady | RunFailed) -> None:
    job = event.job
    await log.publish(JobDeleted(job_name=job.job_name, job_id=job.job_id, actor="admin", job_version=job.version))


async def skip_of(log: EventLog, event: ResultReady | RunFailed) -> RunSkipped | MailSkipped:
    async def skip() -> RunSkipped | MailSkipped | None:
        skips = [one for one in await events_of(log, event.run_id) if isinstance(one, RunSkipped | MailSkipped)]
        return skips[0] if skips else None

    found = await eventually(skip, "the mail is skipped")
    assert isinstance(found, RunSkipped | MailSkipped)
    return found


async def test_the_mail_of_a_job_that_was_deleted_first_is_not_sent(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    result, failure = result_of(make_job(job_name="works")), failure_of(make_job(job_name="fails"))
    for event in (result, failure):
        await event_log.publish(event)
        await delete(event_log, event)
    start_mailer()
    skipped = await skip_of(event_log, result)
    assert isinstance(skipped, RunSkipped)
    assert skipped.reason == "deleted"
    unsent = await skip_of(event_log, failure)
    assert isinstance(unsent, MailSkipped)
    assert (unsent.kind, unsent.reason) == ("failure", "deleted")
    assert smtp_server.recipients == []


async def test_a_mail_that_waits_for_its_next_attempt_is_not_sent_after_the_job_is_deleted(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    attempts = []

    async def not_now(recipient: str) -> str | None:
        attempts.append(recipient)
        return "451 4.3.0 try again later"

    async def tried() -> bool:
        return bool(attempts)

    smtp_server.on_rcpt = not_now
    start_mailer()
    event = result_of(make_job())
    await event_log.publish(event)
    await eventually(tried, "an attempt")
    await delete(event_log, event)
    assert isinstance(await skip_of(event_log, event), RunSkipped)
    assert smtp_server.recipients == []


async def test_a_mail_that_waits_for_an_unreachable_server_is_not_sent_after_the_job_is_deleted(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    smtp_server.stop()
    start_mailer()
    deleted, kept = result_of(make_job(job_name="deleted")), result_of(make_job(job_name="kept"))
    await event_log.publish(deleted)
    await delete(event_log, deleted)
    await event_log.publish(kept)
    smtp_server.start()
    assert isinstance(await skip_of(event_log, deleted), RunSkipped)
    assert isinstance(await mail_event(event_log, kept.run_id), MailSent)
    assert [mail["Subject"].partition(" ")[0] for mail in smtp_server.mails] == ["kept"]


async def test_a_mail_at_data_arrives_although_its_job_is_deleted(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    reached, released = threading.Event(), threading.Event()

    async def hold(_: str) -> str | None:
        reached.set()
        await asyncio.to_thread(released.wait)
        return None

    smtp_server.after_data = hold
    start_mailer()
    job = make_job()
    at_data, later = result_of(job), result_of(job)
    await event_log.publish(at_data)
    await eventually(reached.is_set, "the mail is at DATA")
    await delete(event_log, at_data)
    await event_log.publish(later)
    assert isinstance(await skip_of(event_log, later), RunSkipped)  # the mailer knows of the deletion
    released.set()
    assert isinstance(await mail_event(event_log, at_data.run_id), MailSent)
    assert len(smtp_server.recipients) == len(job.consumer_emails)
