"""The operator hears of what recipients cannot act on, once an hour for each cause."""

from collections.abc import Callable

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailFailed, MailSent, RecipientUnsubscribed
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.mailer_process import MailerProcess, failure_of, mail_event, result_of
from support.mails import text_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]
OPERATOR = "operator@example.com"


async def test_the_operator_hears_once_an_hour_of_a_job_whose_reports_reach_nobody(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    async def refuse(recipient: str) -> str | None:
        return "550 5.1.1 No such user" if recipient.startswith("nobody") else None

    smtp_server.on_rcpt = refuse
    start_mailer(operator_email=OPERATOR)
    lost, other = make_job(consumer_emails=["nobody@example.com"]), make_job(consumer_emails=["nobody2@example.com"])
    events = [result_of(lost), result_of(lost), result_of(other)]
    for event in events:
        await event_log.publish(event)
        assert isinstance(await mail_event(event_log, event.run_id), MailFailed)
    await eventually(lambda: len(smtp_server.mails) == 2, "the operator has a mail for each job")
    assert smtp_server.recipients == [OPERATOR, OPERATOR]
    text = text_of(smtp_server.mails[0], "plain")
    assert "nobody@example.com: refused, 550 5.1.1 No such user" in text
    assert str(events[0].run_id) in text


async def test_the_operator_hears_of_a_failure_whose_recipients_have_unsubscribed(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    job = make_job(consumer_emails=["a@example.com"])
    unsubscribed = RecipientUnsubscribed(
        job_name=job.job_name, job_id=job.job_id, actor="recipient", address="a@example.com"
    )
    await event_log.publish(unsubscribed)
    start_mailer(operator_email=OPERATOR, public_url="https://nightmail.example.com", secret_key="k" * 32)
    await event_log.publish(failure := failure_of(job))
    await eventually(lambda: smtp_server.mails, "the operator has a mail")
    assert smtp_server.recipients == [OPERATOR]
    text = text_of(smtp_server.mails[0], "plain")
    assert f"Run {failure.run_id}: every recipient has unsubscribed" in text


async def test_the_operator_hears_that_all_mail_was_held_back_once_the_server_accepts_the_sender(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    refused = True

    async def refuse(_: int) -> str | None:
        return "530 5.7.0 Authentication required" if refused else None

    smtp_server.on_mail = refuse
    mailer = start_mailer(operator_email=OPERATOR)
    event = result_of(make_job())
    await event_log.publish(event)

    async def is_held() -> bool:
        return "530" in (await mailer.readiness()).get("dependencies", {}).get("smtp", "")

    await eventually(is_held, "the mail is held back")
    refused = False
    assert isinstance(await mail_event(event_log, event.run_id), MailSent)
    await eventually(lambda: OPERATOR in smtp_server.recipients, "the operator has a mail")
    [mail] = [mail for recipient, mail in smtp_server.accepted if recipient == OPERATOR]
    assert mail["Subject"] == "Nightmail: all mail was held back"
    assert "530 5.7.0 Authentication required" in text_of(mail, "plain")
