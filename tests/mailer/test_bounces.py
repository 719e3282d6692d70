"""Bounces: a delivery status notification in the Maildir marks the mail that came back, and a forged one marks nothing."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailBounced, MailSent, ResultReady
from nightmail_common.contract.job import Job
from nightmail_mailer.bounces.notification import TOKEN_HEADER, read_bounce, token_header
from nightmail_mailer.compose.mail_job import MailJob
from support.deadlines import eventually, scaled
from support.mailer_process import MailerProcess, events_of, mail_event, result_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]
KEY = "k" * 32

POSTFIX = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: nightmail@localhost
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="5D1A8C0E2B.1716192021/mx.example.com"
Message-Id: <20261125120000.7F3A12C@mx.example.com>

This is a MIME-encapsulated message.

--5D1A8C0E2B.1716192021/mx.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.com.

<reports@example.com>: host mail.example.com[192.0.2.10] said: 550 5.1.1
    <reports@example.com>: Recipient address rejected: User unknown (in reply to RCPT TO command)

--5D1A8C0E2B.1716192021/mx.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
X-Postfix-Queue-ID: 5D1A8C0E2B
Arrival-Date: Wed, 25 Nov 2026 12:00:00 +0000 (UTC)

Final-Recipient: rfc822; reports@example.com
Original-Recipient: rfc822;reports@example.com
Action: {action}
Status: 5.1.1
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 5.1.1 <reports@example.com>: Recipient address
    rejected: User unknown

--5D1A8C0E2B.1716192021/mx.example.com
Content-Description: Undelivered Message
Content-Type: message/rfc822

{mail}
--5D1A8C0E2B.1716192021/mx.example.com--
"""
#: Exchange Online returns the headers alone, encoded, and gives up with a code of its own.
EXCHANGE = """\
From: <postmaster@example.onmicrosoft.com>
To: <nightmail@localhost>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="d6a5bf5c-2f1b-4b44-9d6e-5a1f0a7e3c55"
X-MS-Exchange-Message-Is-Ndr:
Subject: Undeliverable: daily sales

--d6a5bf5c-2f1b-4b44-9d6e-5a1f0a7e3c55
Content-Type: multipart/alternative; differences=Content-Type;
 boundary="8d2c"

--8d2c
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message couldn't be delivered.

--8d2c--

--d6a5bf5c-2f1b-4b44-9d6e-5a1f0a7e3c55
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01MB1234.eurprd01.prod.exchangelabs.com
Received-From-MTA: dns;mx.example.com

Final-Recipient: rfc822;someone.behind@example.com
Action: failed
Status: 4.4.7
Diagnostic-Code: smtp;550 5.4.300 Message expired -> 452 4.2.2 mailbox full

--d6a5bf5c-2f1b-4b44-9d6e-5a1f0a7e3c55
Content-Type: text/rfc822-headers
Content-Transfer-Encoding: quoted-printable

{mail}
--d6a5bf5c-2f1b-4b44-9d6e-5a1f0a7e3c55--
"""


def returned(mail: str) -> str:
    return mail.replace("\r\n", "\n")


def headers_for(job: Job, recipient: str, key: str = KEY, name: str = TOKEN_HEADER) -> str:
    mail_job = MailJob(job, uuid4(), "result", (recipient,))
    header = token_header(key, mail_job, "<1@example.com>", recipient).replace(TOKEN_HEADER, name)
    return returned(f"{header}\r\nSubject: daily sales\r\n\r\nthe text\r\n")


def maildir(tmp_path: Path) -> Path:
    folder = tmp_path / "bounces"
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    return folder


def deliver(folder: Path, content: str) -> str:
    """Deliver a mail into a Maildir as a delivery agent does."""
    name = f"1764072000.{uuid4().hex}.mx"
    (folder / "tmp" / name).write_text(content)
    (folder / "tmp" / name).rename(folder / "new" / name)
    return name


async def bounces_of(log: EventLog, event: ResultReady) -> list[MailBounced]:
    return [one for one in await events_of(log, event.run_id) if isinstance(one, MailBounced)]


async def test_a_mail_that_comes_back_is_published_once_and_the_operator_hears_of_it(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    folder = maildir(tmp_path)
    start_mailer(bounce_maildir=str(folder), secret_key=KEY, operator_email="ops@example.com")
    event = result_of(make_job(job_name="Umsatz für März · " + "é" * 100))
    await event_log.publish(event)
    sent = await mail_event(event_log, event.run_id)
    assert isinstance(sent, MailSent)
    dsn = POSTFIX.format(action="failed", mail=returned(smtp_server.mails[0].as_string()))
    names = [deliver(folder, dsn), deliver(folder, "From: somebody\n\nthank you\n"), deliver(folder, dsn)]

    async def taken() -> bool:
        return not list((folder / "new").iterdir())

    await eventually(taken, "the mailer reads the Maildir")
    assert {path.name for path in (folder / "cur").iterdir()} == {
        f"{names[0]}:2,S",
        f"{names[1]}:2,",
        f"{names[2]}:2,S",
    }
    [bounce] = await bounces_of(event_log, event)
    assert (bounce.kind, bounce.message_id, bounce.address) == ("result", sent.message_id, "reports@example.com")
    assert (bounce.status, bounce.answer) == (
        "5.1.1",
        "550 5.1.1 (address): Recipient address rejected: User unknown",
    )
    await eventually(lambda: "ops@example.com" in smtp_server.recipients, "the operator's mail")
    notice = dict(smtp_server.accepted)["ops@example.com"]
    assert "reports@example.com was accepted and came back" in notice.get_content()


async def test_without_the_setting_a_mail_has_no_token(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    start_mailer(secret_key=KEY)
    event = result_of(make_job())
    await event_log.publish(event)
    await mail_event(event_log, event.run_id)
    assert smtp_server.mails[0][TOKEN_HEADER] is None


def test_headers_that_are_returned_encoded_and_for_another_address_are_recognised(make_job: MakeJob) -> None:
    mail = headers_for(make_job(), "list@example.com").replace("=", "=3D")
    bounce = read_bounce(KEY, EXCHANGE.format(mail=mail).encode())
    assert bounce is not None
    assert (bounce.recipient, bounce.status) == ("list@example.com", "4.4.7")
    assert bounce.answer == "550 5.4.300 Message expired -> 452 4.2.2 mailbox full"


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded", ""])
def test_only_a_failure_is_a_bounce(make_job: MakeJob, action: str) -> None:
    mail = headers_for(make_job(), "a@example.com")
    assert read_bounce(KEY, POSTFIX.format(action=action, mail=mail).encode()) is None
    assert read_bounce(KEY, POSTFIX.format(action="Failed", mail=mail).encode()) is not None


def test_a_notification_without_a_token_that_was_signed_here_is_no_bounce(make_job: MakeJob) -> None:
    job = make_job()
    good = headers_for(job, "a@example.com")
    for mail in (
        "Message-ID: <1@example.com>\n\ntext\n",
        headers_for(job, "a@example.com", key="another key"),
        headers_for(job, "a@example.com", name="X-Other"),
        good.replace("Delivery: ", "Delivery: A"),
        f"{TOKEN_HEADER}: é.é\n\n",
        f"{TOKEN_HEADER}: \n\n",
    ):
        assert read_bounce(KEY, POSTFIX.format(action="failed", mail=mail).encode()) is None, mail
    # In the text of a report, or of any other mail, the token proves nothing.
    assert read_bounce(KEY, good.encode()) is None
    assert (
        read_bounce(KEY, POSTFIX.format(action="failed", mail="").replace("This is", good + "This is").encode()) is None
    )


def test_a_notification_that_is_cut_off_behind_the_headers_is_read(make_job: MakeJob) -> None:
    mail = headers_for(make_job(), "a@example.com") + "x" * 200_000
    content = POSTFIX.format(action="failed", mail=mail).encode()[: 64 * 1024]
    assert read_bounce(KEY, content) is not None


def test_many_parts_in_each_other_are_not_parsed(make_job: MakeJob) -> None:
    dsn = POSTFIX.format(action="failed", mail=headers_for(make_job(), "a@example.com"))
    begun = time.process_time()
    assert read_bounce(KEY, (dsn + "--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 60).encode()) is None
    assert time.process_time() - begun < scaled(0.1)


async def test_mails_that_nobody_can_parse_are_passed_over(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    folder = maildir(tmp_path)
    nested = "".join(
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="b{number}"\n\n--b{number}\n'
        for number in range(900)
    )
    for hostile in (
        nested,
        "",
        "\0" * 100_000,
        "Content-Type: multipart/report; boundary=\n\n--\n",
        "Content-Type: multipart/report; boundary*0*=utf-8''%ff\n\n",
        'Content-Type: multipart/report; boundary="x"\n\n'
        + "--x\nContent-Type: message/delivery-status\n\nAction: failed\n\n" * 1000,
        "Content-Type: " + "a/" * 30_000 + "\n\n",
    ):
        deliver(folder, hostile)
    start_mailer(bounce_maildir=str(folder), secret_key=KEY)
    event = result_of(make_job())
    await event_log.publish(event)
    await mail_event(event_log, event.run_id)
    deliver(folder, POSTFIX.format(action="failed", mail=returned(smtp_server.mails[0].as_string())))

    async def bounced() -> bool:
        return len(await bounces_of(event_log, event)) == 1

    await eventually(bounced, "the bounce behind them is published")
    await eventually(lambda: not list((folder / "new").iterdir()), "all mails are marked")
