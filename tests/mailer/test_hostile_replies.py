"""Replies of an SMTP server that no server should send: they hold up nobody, and each mail ends once."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailFailed, MailSent
from nightmail_common.contract.job import Job
from nightmail_common.contract.limits import MAX_RECIPIENTS, MAX_REPLY_CHARS
from nightmail_mailer.smtp.connection import size_limit
from nightmail_mailer.smtp.smtp_errors import format_reply, redact_addresses
from support.deadlines import scaled
from support.mailer_process import MailerProcess, mail_event, result_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]

#: "Reçu" in Latin-1, as aiosmtplib reads it, and control characters.
NOT_UTF8 = "Re\udce7u \x1b[31m\x07"
#: What aiosmtplib takes at most: four lines of 8 KiB.
LONG = "é" * 3500


@pytest.mark.parametrize("accepts", [True, False])
async def test_a_reply_that_is_not_utf8_ends_the_mail_once(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob, *, accepts: bool
) -> None:
    replies = []

    async def reply(_: str) -> str:
        replies.append(1)
        return f"250 {NOT_UTF8}" if accepts else f"550 5.1.1 {NOT_UTF8}"

    if accepts:
        smtp_server.after_accepting = reply
    else:
        smtp_server.on_rcpt = reply
    start_mailer()
    event = result_of(make_job(consumer_emails=["reports@example.com"]))
    await event_log.publish(event)
    outcome = await mail_event(event_log, event.run_id)
    assert isinstance(outcome, MailSent if accepts else MailFailed)
    [recipient] = outcome.recipients
    assert recipient.answer == ("250 Re�u [31m" if accepts else "550 5.1.1 Re�u [31m")
    assert len(replies) == 1


async def test_long_replies_for_each_recipient_fit_into_one_event(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    async def reply(_: str) -> str:
        return "\r\n".join(f"550{mark}5.1.1 {LONG}" for mark in "--- ")

    smtp_server.on_rcpt = reply
    start_mailer()
    event = result_of(make_job(consumer_emails=[f"{number}@example.com" for number in range(MAX_RECIPIENTS)]))
    await event_log.publish(event)
    outcome = await mail_event(event_log, event.run_id)
    assert isinstance(outcome, MailFailed)
    assert {len(recipient.answer) for recipient in outcome.recipients} == {MAX_REPLY_CHARS}


@pytest.mark.parametrize(
    "text", ["a" * 64_000, "<" * 64_000, "a@" * 32_000, "@" * 64_000, "a <" * 20_000, "a." * 32_000]
)
def test_the_text_of_a_long_reply_or_bounce_takes_no_time(text: str) -> None:
    """A word of 30,000 letters took 5 s, in which the mailer did nothing else."""
    began = time.process_time()
    redact_addresses(text)
    format_reply(550, text)
    assert time.process_time() - began < scaled(0.5)


def test_addresses_are_redacted_wherever_a_word_has_one() -> None:
    text = "<a@example.com>: no user b@example.com, to=c@example.com d@e@example.com"
    assert redact_addresses(text) == "(address): no user (address) (address) (address)@example.com"


@pytest.mark.parametrize(
    ("size", "expected"), [("1000", 1000), ("0", None), ("", None), ("²", None), ("9" * 5000, None)]
)
def test_the_size_that_a_server_announces_is_a_number_or_none(size: str, expected: int | None) -> None:
    connection = SimpleNamespace(esmtp_extensions={"size": size})
    assert size_limit(connection) == expected  # type: ignore[arg-type]
