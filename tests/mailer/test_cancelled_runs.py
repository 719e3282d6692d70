"""A result that a runner publishes after its run was cancelled is not mailed; a cancellation after the result changes nothing."""

import asyncio
import threading
from collections.abc import Callable

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import MailSent, ResultReady, RunCancelled
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.mailer_process import MailerProcess, events_of, failure_of, mail_event, result_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]


async def test_an_outcome_after_the_cancellation_is_not_mailed(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    result, failure = result_of(make_job(job_name="works")), failure_of(make_job(job_name="fails"))
    kept = result_of(make_job(job_name="kept"))
    # Cancelled before the mailer starts, and while it runs.
    await event_log.publish(RunCancelled(job_name=result.job_name, run_id=result.run_id, actor="maria"))
    await event_log.publish(result)
    await start_mailer().ready()
    await event_log.publish(RunCancelled(job_name=failure.job_name, run_id=failure.run_id, actor="maria"))
    first = result_of(make_job(job_name="first"))
    await event_log.publish(first)
    await mail_event(event_log, first.run_id)
    await event_log.publish(failure)
    await event_log.publish(kept)
    assert isinstance(await mail_event(event_log, kept.run_id), MailSent)
    for event in (result, failure):
        assert [type(one) for one in await events_of(event_log, event.run_id)] == [RunCancelled, type(event)]
    assert {mail["Subject"].partition(" ")[0] for mail in smtp_server.mails} == {"first", "kept"}


async def test_a_cancellation_while_the_mail_is_at_data_comes_too_late(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    reached, released = threading.Event(), threading.Event()
    replies = ["451 4.3.0 try again"]

    async def hold(_: str) -> str | None:
        reached.set()
        await asyncio.to_thread(released.wait)
        return replies.pop() if replies else None

    smtp_server.after_data = hold
    start_mailer()
    event = result_of(make_job())
    outcome = run_message_id(event.run_id, "outcome")
    await event_log.publish(event, message_id=outcome)
    await eventually(reached.is_set, "the mail is at DATA")
    cancelled = RunCancelled(job_name=event.job_name, run_id=event.run_id, actor="maria")
    assert (await event_log.publish(cancelled, message_id=outcome)).duplicate, "the API answers 409"
    # Nor does one that the log takes, because the outcome is older than its duplicate window: the mail is tried again.
    await event_log.publish(cancelled)
    released.set()
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    assert len(smtp_server.mails) == len(event.job.result_recipients)
    names = [type(one) for one in await events_of(event_log, event.run_id)]
    assert names == [ResultReady, RunCancelled, MailSent]
