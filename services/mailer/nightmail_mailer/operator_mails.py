"""Mails to the operator about what recipients cannot act on: a report that reached nobody, and mail that is held back."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import uuid4

import structlog
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from nightmail_common.broker.backoff import Backoff, retry_forever
from nightmail_common.contract.mail_outcomes import RecipientOutcome
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.subject import one_line
from nightmail_mailer.smtp.addresses import domain_of
from nightmail_mailer.smtp.client import SmtpClient
from nightmail_mailer.smtp.pool import SmtpPool

#: From one mail about a cause to the next.
INTERVAL = timedelta(hours=1)
#: A server that restarts is no incident.
HELD_AFTER = timedelta(minutes=5)
POLL_SECONDS = 1.0
#: A notice that the server defers is sent again as often; the metrics and the log have it, too.
ATTEMPTS = 8
BACKOFF = Backoff(first=5.0, longest=3600.0)
#: More causes in a moment than an operator reads: the log has the rest.
MAX_QUEUED = 100

logger = structlog.get_logger()


@dataclass(frozen=True)
class _Notice:
    cause: str
    title: str
    text: str


class OperatorMails:
    """Sends one mail for each cause and hour, from however many mailers.

    Args:
        bucket: keeps when a cause was last mailed.
    """

    def __init__(self, address: str, smtp: SmtpClient, bucket: KeyValue) -> None:
        self._address = address
        self._smtp = smtp
        self._bucket = bucket
        self._notices: asyncio.Queue[_Notice] = asyncio.Queue(MAX_QUEUED)

    def report_lost(self, mail_job: MailJob, outcomes: Sequence[RecipientOutcome], reason: str) -> None:
        """Queue a notice that a mail reached no recipient."""
        name = mail_job.job.job_name
        answers = "".join(f"    {one.address}: {one.outcome}, {one.answer}\n" for one in outcomes)
        text = (
            f"The {mail_job.kind} mail of the job {name!r} reached no recipient, and is not tried again.\n\n"
            f"Run {mail_job.run_id}: {reason}\n{answers}\n"
            f"Once the cause is corrected, POST /runs/{mail_job.run_id}/resend mails it again.\n"
            "Further ones of this job are mailed to you at most once an hour; GET /mails has all of them.\n"
        )
        self._put(_Notice(f"lost.{mail_job.job.job_id}", f"Nightmail: a report of {name} reached nobody", text))

    def report_bounce(self, job_name: str, run_id: str, recipient: str, answer: str) -> None:
        """Queue a notice that a mail which the server had accepted came back."""
        text = (
            f"The mail of the job {job_name!r} to {recipient} was accepted and came back:\n\n    {answer}\n\n"
            f"Run {run_id}. Correct the address in the job, or ask the recipient.\n"
            "Further ones of this job are mailed to you at most once an hour; GET /mails?outcome=bounced has all of them.\n"
        )
        self._put(_Notice(f"bounced.{job_name}", f"Nightmail: a mail of {job_name} came back", text))

    async def watch(self, pool: SmtpPool) -> None:
        """Queue a notice after all mail was held back: earlier there is no server that would take it. Never returns."""
        while True:
            await pool.until_unreachable()
            since, reason, refuses_us = datetime.now(UTC), pool.unreachable_reason, pool.refuses_us
            while pool.unreachable_reason is not None:
                reason, refuses_us = pool.unreachable_reason, refuses_us or pool.refuses_us
                await asyncio.sleep(POLL_SECONDS)
            until = datetime.now(UTC)
            if refuses_us or until - since >= HELD_AFTER:
                text = (
                    f"All mail was held back from {since:%Y-%m-%d %H:%M:%S} to {until:%H:%M:%S} UTC:\n\n    {reason}\n\n"
                    "Nothing was lost: the mails that waited are being sent.\n"
                )
                self._put(_Notice("held", "Nightmail: all mail was held back", text))

    async def run(self) -> None:
        """Send the queued notices. Never returns."""
        while True:
            notice = await self._notices.get()
            await self._smtp.max_mail_bytes()  # once the server is reachable
            if await retry_forever(lambda notice=notice: self._claim(notice.cause), "operator_mails"):  # type: ignore[misc]
                await self._send(notice)

    def _put(self, notice: _Notice) -> None:
        try:
            self._notices.put_nowait(notice)
        except asyncio.QueueFull:
            logger.warning("operator_mail_dropped")

    async def _claim(self, cause: str) -> bool:
        """Say whether this mailer sends the mail about a cause; the others, and this one for an hour, do not."""
        key = f"operator.{hashlib.sha256(cause.encode()).hexdigest()[:32]}"
        now = datetime.now(UTC)
        revision = 0
        try:
            found = await self._bucket.get(key)
            if now - datetime.fromisoformat((found.value or b"").decode()) < INTERVAL:
                return False
            revision = found.revision or 0
        except KeyNotFoundError:
            pass
        try:
            await self._bucket.update(key, now.isoformat().encode(), last=revision)
        except KeyWrongLastSequenceError:
            return False
        return True

    async def _send(self, notice: _Notice) -> None:
        mail = self._render(notice)
        for attempt in range(1, ATTEMPTS + 1):
            result = await self._smtp.send(lambda _: mail, self._address)
            if result.outcome == "accepted":
                logger.info("operator_mail_sent", attempt=attempt)
                return
            if result.outcome != "deferred":
                break
            await asyncio.sleep(BACKOFF.wait(attempt))
        logger.error("operator_mail_failed", outcome=result.outcome)

    def _render(self, notice: _Notice) -> bytes:
        mail = EmailMessage(policy=SMTP)
        mail["To"] = Address(addr_spec=self._address)
        mail["Subject"] = one_line(notice.title)
        mail["From"] = Address(display_name="Nightmail", addr_spec=self._smtp.sender)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = f"<{uuid4()}.operator@{domain_of(self._smtp.sender)}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(notice.text)
        return mail.as_bytes()
