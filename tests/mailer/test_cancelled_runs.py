"""A runner that was cut off for longer than the log refuses duplicates publishes a result of a cancelled run: it is not mailed."""

from collections.abc import Callable

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailSent, RunCancelled
from nightmail_common.contract.job import Job
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
