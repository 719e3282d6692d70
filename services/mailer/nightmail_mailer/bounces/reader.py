"""Reads a mailbox for delivery status notifications, and publishes each bounce once."""

import asyncio
import hashlib
import time

import structlog
from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import MailBounced
from nightmail_mailer.bounces.mailbox import Mailbox, MailboxUnavailable
from nightmail_mailer.bounces.notification import Bounce, read_bounce
from nightmail_mailer.operator_mails import HELD_AFTER, OperatorMails
from nightmail_mailer.owner_warnings import OwnerWarnings

#: OSError is one of the former.
_ERRORS: tuple[type[Exception], ...] = (*BROKER_ERRORS, MailboxUnavailable)

logger = structlog.get_logger()


class BounceReader:
    """Reads each mail of a mailbox, and marks it once its bounce is in the log. Any number of mailers may read one.

    Args:
        key: signs the tokens of the mails.
        bucket: remembers the bounces that were published.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        key: str,
        log: EventLog,
        bucket: KeyValue,
        owners: OwnerWarnings,
        operator: OperatorMails | None,
    ) -> None:
        self._mailbox = mailbox
        self._key = key
        self._log = log
        self._bucket = bucket
        self._owners = owners
        self._operator = operator

    async def run(self) -> None:
        """Read new mails. Never returns."""
        failing_since: float | None = None
        while True:
            try:
                for name in await self._mailbox.unread():
                    await self._take(name)
                failing_since = None
            except _ERRORS as error:
                failing_since = failing_since or time.monotonic()
                reason = describe_error(error)
                logger.warning("bounces_not_read", error=reason)
                if self._operator is not None and time.monotonic() - failing_since >= HELD_AFTER.total_seconds():
                    self._operator.report_unread_bounces(reason)
            finally:
                await self._mailbox.close()
            await asyncio.sleep(self._mailbox.poll_seconds)

    async def _take(self, name: str) -> None:
        content = await self._mailbox.read(name)
        if content is None:
            return
        bounce = await asyncio.to_thread(self._parse, content)
        if bounce is not None:
            await self._publish(bounce)
        await self._mailbox.mark(name, is_bounce=bounce is not None)

    def _parse(self, content: bytes) -> Bounce | None:
        try:
            return read_bounce(self._key, content)
        except Exception as error:  # anybody may have sent it, and the parser raises errors of many classes
            logger.warning("bounce_unreadable", error=type(error).__name__)
            return None

    async def _publish(self, bounce: Bounce) -> None:
        """Publish the event and queue the warnings, before the bucket has the bounce: a crash in between repeats them.

        The message id makes the event one; the warnings have their own claim.
        """
        digest = hashlib.sha256(f"{bounce.message_id}\0{bounce.recipient}".encode()).hexdigest()[:32]
        key = f"{bounce.run_id}.bounced.{digest}"
        try:
            await self._bucket.get(key)
        except KeyNotFoundError:
            pass
        else:
            return  # a recipient can send a notification again and again
        event = MailBounced(
            job_name=bounce.job_name,
            run_id=bounce.run_id,
            kind=bounce.kind,
            message_id=bounce.message_id,
            address=bounce.recipient,
            status=bounce.status,
            answer=bounce.answer,
            split_value=bounce.split_value,
        )
        await self._log.publish(event, message_id=run_message_id(bounce.run_id, "mail-bounced", digest))
        await self._owners.warn(bounce)
        if self._operator is not None:
            self._operator.report_bounce(
                bounce.job_name, str(bounce.run_id), bounce.recipient, f"{bounce.status} {bounce.answer}"
            )
        await self._bucket.put(key, b"")
        logger.info("mail_bounced", kind=bounce.kind, status=bounce.status)
