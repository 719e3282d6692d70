"""A bounce warns the owner of its job: those whose own mail did not come back, once a day, without a mail loop."""

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import pytest

from mailer.test_bounces import KEY, POSTFIX, deliver, headers_for, maildir
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import (
    JobCreated,
    JobDeleted,
    JobUpdated,
    MailBounced,
    RecipientUnsubscribed,
)
from nightmail_common.contract.job import Job
from nightmail_mailer.bounces.notification import TOKEN_HEADER
from support.deadlines import eventually
from support.mailer_process import MailerProcess, mail_event, result_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]
GONE, ALSO_GONE, HERE, UNSUBSCRIBED = "gone@example.com", "also-gone@example.com", "here@example.com", "no@example.com"
OPERATOR = "ops@example.com"


def created(job: Job) -> JobCreated:
    return JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job)


def bounced(job: Job, address: str) -> MailBounced:
    return MailBounced(
        job_name=job.job_name,
        run_id=uuid4(),
        kind="result",
        message_id="<1@example.com>",
        address=address,
        status="5.1.1",
        answer="550 unknown",
    )


def come_back(folder: Path, job: Job, recipient: str) -> None:
    deliver(folder, POSTFIX.format(action="failed", mail=headers_for(job, recipient)))


async def all_are_read(folder: Path) -> None:
    await eventually(lambda: not list((folder / "new").iterdir()), "the mailer reads the Maildir")


def warnings(server: SmtpServer) -> list[tuple[str, str, EmailMessage]]:
    """Return the envelope sender, the recipient and the mail of each warning to an owner."""
    accepted = zip(server.senders, server.accepted, strict=True)
    return [
        (sender, recipient, mail)
        for sender, (recipient, mail) in accepted
        if "came back" in mail["Subject"] and recipient != OPERATOR
    ]


@pytest.mark.parametrize("accepts_null_sender", [True, False])
async def test_the_owners_whose_own_mail_did_not_come_back_are_warned_once_a_day(
    start_mailer: Start,
    smtp_server: SmtpServer,
    event_log: EventLog,
    make_job: MakeJob,
    tmp_path: Path,
    accepts_null_sender: bool,
) -> None:
    smtp_server.accepts_null_sender = accepts_null_sender
    folder = maildir(tmp_path)
    job = make_job(job_name="Umsatz * März", consumer_emails=[GONE, HERE, ALSO_GONE, UNSUBSCRIBED])
    await event_log.publish(created(job))
    await event_log.publish(bounced(job, ALSO_GONE.upper()))
    await event_log.publish(
        RecipientUnsubscribed(job_name=job.job_name, job_id=job.job_id, address=UNSUBSCRIBED, actor="test")
    )
    start_mailer(bounce_maildir=str(folder), secret_key=KEY, operator_email=OPERATOR)
    for _ in range(2):
        come_back(folder, job, GONE)
    await all_are_read(folder)
    await eventually(lambda: OPERATOR in smtp_server.recipients, "the operator's mail, behind the warning")
    event = result_of(job)
    await event_log.publish(event)
    await mail_event(event_log, event.run_id)
    [(sender, recipient, warning)] = warnings(smtp_server)
    assert warning["Auto-Submitted"] == "auto-generated"
    assert (sender, recipient, warning["To"]) == ("<>" if accepts_null_sender else "nightmail@localhost", HERE, HERE)
    assert f"{GONE} was accepted by the mail server and came back" in warning.get_content()
    assert "5.1.1 550 5.1.1 (address): Recipient address rejected: User unknown" in warning.get_content()
    assert warning[TOKEN_HEADER] is None, "a bounce of the warning is about no mail of a job"
    assert set(smtp_server.recipients) >= {GONE, HERE}, "a refused null sender holds nothing back"


async def test_the_job_as_it_is_now_names_its_owner(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    folder = maildir(tmp_path)
    jobs = [make_job(job_name=f"job {number}", consumer_emails=[GONE, HERE]) for number in range(5)]
    for job in jobs:
        await event_log.publish(created(job))
    with_team, without_owner, corrected, deleted, last = jobs
    for job, fields in (
        (with_team, {"failure_emails": ("team@example.com", GONE)}),
        (without_owner, {"failure_emails": (GONE,)}),
        (corrected, {"consumer_emails": (HERE,)}),
        (last, {"failure_emails": ("last@example.com",)}),
    ):
        newer = job.model_copy(update={"version": 2} | fields)
        await event_log.publish(JobUpdated(job_name=job.job_name, job_id=job.job_id, actor="test", job=newer))
    named = {"job_name": deleted.job_name, "job_id": deleted.job_id}
    await event_log.publish(JobDeleted(**named, actor="test", job_version=1))
    start_mailer(bounce_maildir=str(folder), secret_key=KEY)
    for job in jobs[:4]:
        come_back(folder, job, GONE)
    await all_are_read(folder)
    come_back(folder, last, GONE)
    await eventually(lambda: "last@example.com" in smtp_server.recipients, "the warning behind all others")
    assert [recipient for _, recipient, _ in warnings(smtp_server)] == ["team@example.com", "last@example.com"]
