"""Mails to the operator about what recipients cannot act on: a report that reached nobody, and mail that is held back."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from nightmail_common.contract.mail_outcomes import RecipientOutcome
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.notices import Notice, Notices
from nightmail_mailer.smtp.pool import SmtpPool

#: From one mail about a cause to the next.
INTERVAL = timedelta(hours=1)
#: A server that restarts is no incident.
HELD_AFTER = timedelta(minutes=5)
POLL_SECONDS = 1.0


class OperatorMails:
    """Queues one mail for each cause and hour, from however many mailers."""

    def __init__(self, address: str, notices: Notices) -> None:
        self._address = address
        self._notices = notices

    def report_lost(self, mail_job: MailJob, outcomes: Sequence[RecipientOutcome], reason: str) -> None:
        """Queue a notice that a mail reached no recipient."""
        name = mail_job.job.job_name
        answers = "".join(f"    {one.address}: {one.outcome}, {one.answer}\n" for one in outcomes)
        text = (
            f"The {mail_job.kind} mail of the job {name!r} reached no recipient, and is not tried again.\n\n"
            f"Run {mail_job.run_id}: {reason}\n{answers}\n"
            f"Once the cause is corrected, `nightmail runs resend {mail_job.run_id}` mails it again.\n"
            "Further ones of this job are mailed to you at most once an hour; `nightmail mails list` has all of them.\n"
        )
        self._put(f"lost.{mail_job.job.job_id}", f"Nightmail: a report of {name} reached nobody", text)

    def report_bounce(self, job_name: str, run_id: str, recipient: str, answer: str) -> None:
        """Queue a notice that a mail which the server had accepted came back."""
        text = (
            f"The mail of the job {job_name!r} to {recipient} was accepted and came back:\n\n    {answer}\n\n"
            f"Run {run_id}. Correct the address in the job, or ask the recipient.\n"
            "Further ones of this job are mailed to you at most once an hour;"
            " `nightmail mails list --outcome bounced` has all of them.\n"
        )
        self._put(f"bounced.{job_name}", f"Nightmail: a mail of {job_name} came back", text)

    def report_unread_bounces(self, reason: str) -> None:
        """Queue a notice that the mailbox of the bounces cannot be read."""
        text = (
            f"The mailbox with the delivery status notifications cannot be read:\n\n    {reason}\n\n"
            "Mails that come back are not found until it can. Nothing in the mailbox is lost.\n"
        )
        self._put("bounces", "Nightmail: bounces cannot be read", text)

    async def watch(self, pool: SmtpPool) -> None:
        """Queue a notice after all mail was held back: earlier there is no server that would take it. Never returns."""
        while True:
            await pool.until_unreachable()
            since, reason, refuses_us = datetime.now(UTC), pool.unreachable_reason, pool.refuses_us
            while pool.unreachable_reason is not None:
                reason, refuses_us = pool.unreachable_reason, refuses_us or pool.refuses_us
                with suppress(TimeoutError):  # a refusal may last for less than a second
                    async with asyncio.timeout(POLL_SECONDS):
                        await pool.until_reachable()
            until = datetime.now(UTC)
            if refuses_us or until - since >= HELD_AFTER:
                text = (
                    f"All mail was held back from {since:%Y-%m-%d %H:%M:%S} to {until:%H:%M:%S} UTC:\n\n    {reason}\n\n"
                    "Nothing was lost: the mails that waited are being sent.\n"
                )
                self._put("held", "Nightmail: all mail was held back", text)

    def _put(self, cause: str, title: str, text: str) -> None:
        self._notices.put(Notice("operator", cause, INTERVAL, (self._address,), title, text))
