"""Mails of Nightmail about its own work. All mailers together send one mail per cause and interval."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from nightmail_common.broker.backoff import Backoff, retry_forever
from nightmail_mailer.compose.plain_mail import plain_mail
from nightmail_mailer.records.claims import Claims
from nightmail_mailer.smtp.client import SmtpClient

#: A notice that the server defers is sent again as often; the metrics, the log and the ledger have its cause, too.
ATTEMPTS = 8
BACKOFF = Backoff(first=5.0, longest=3600.0)
#: More causes in a moment than somebody reads: the log has the rest.
MAX_QUEUED = 100

logger = structlog.get_logger()


@dataclass(frozen=True)
class Notice:
    """A mail to each of some addresses.

    Attributes:
        kind: for the log, as in `operator`.
        cause: one mail about it goes out in `interval`.
        may_bounce: whether a delivery status notification about this mail may come.
    """

    kind: str
    cause: str
    interval: timedelta
    recipients: tuple[str, ...]
    title: str
    text: str
    may_bounce: bool = True


class Notices:
    """Sends the notices that are queued."""

    def __init__(self, smtp: SmtpClient, claims: Claims) -> None:
        self._smtp = smtp
        self._claims = claims
        self._queue: asyncio.Queue[Notice] = asyncio.Queue(MAX_QUEUED)

    def put(self, notice: Notice) -> None:
        """Queue a notice; drop it if the queue is full."""
        try:
            self._queue.put_nowait(notice)
        except asyncio.QueueFull:
            logger.warning("notice_dropped", kind=notice.kind)

    async def run(self) -> None:
        """Send the queued notices. Never returns."""
        while True:
            notice = await self._queue.get()
            await self._smtp.max_mail_bytes()  # once the server is reachable
            if await retry_forever(lambda notice=notice: self._claims.claim(notice.cause, notice.interval), "notices"):  # type: ignore[misc]
                for recipient in notice.recipients:
                    await self._send(notice, recipient)

    async def _send(self, notice: Notice, recipient: str) -> None:
        try:
            mail = plain_mail(self._smtp.sender, recipient, notice.title, notice.text, notice.kind)
        except ValueError:  # the job is older than the check of its addresses
            logger.warning("notice_failed", kind=notice.kind, outcome="invalid address")
            return
        for attempt in range(1, ATTEMPTS + 1):
            result = await self._smtp.send(lambda _: mail, recipient, null_sender=not notice.may_bounce)
            if result.outcome == "accepted":
                logger.info("notice_sent", kind=notice.kind, attempt=attempt)
                return
            if result.outcome != "deferred":
                break
            await asyncio.sleep(BACKOFF.wait(attempt))
        logger.error("notice_failed", kind=notice.kind, outcome=result.outcome)
