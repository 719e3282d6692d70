"""Reads a Maildir for delivery status notifications, and publishes each bounce once."""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path

import structlog
from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import MailBounced
from nightmail_common.contract.limits import MAX_BOUNCE_BYTES
from nightmail_mailer.bounces.notification import Bounce, read_bounce
from nightmail_mailer.operator_mails import OperatorMails

#: Notifications come minutes or days after their mail.
POLL_SECONDS = 5.0
#: Mails of one poll; the others follow in the next one.
MAX_MAILS = 100

logger = structlog.get_logger()


class BounceReader:
    """Takes the mails in `new` of a Maildir, and moves each to `cur`: seen, if it was a bounce.

    Any number of mailers may read one Maildir.

    Args:
        key: signs the tokens of the mails.
        bucket: remembers the bounces that were published.
    """

    def __init__(
        self, maildir: Path, key: str, log: EventLog, bucket: KeyValue, operator: OperatorMails | None
    ) -> None:
        self._maildir = maildir
        self._key = key
        self._log = log
        self._bucket = bucket
        self._operator = operator

    async def run(self) -> None:
        """Read new mails. Never returns."""
        while True:
            try:
                for name in await asyncio.to_thread(self._new):
                    await self._take(name)
            except BROKER_ERRORS as error:  # OSError is one of them
                logger.warning("bounces_not_read", error=describe_error(error))
            await asyncio.sleep(POLL_SECONDS)

    async def _take(self, name: str) -> None:
        bounce = await asyncio.to_thread(self._read, name)
        if bounce is not None:
            await self._publish(bounce)
        flags = "2,S" if bounce is not None else "2,"
        with suppress(FileNotFoundError):  # another mailer took it, too: the event is the same
            (self._maildir / "new" / name).rename(self._maildir / "cur" / f"{name.partition(':')[0]}:{flags}")

    def _new(self) -> list[str]:
        names = (entry.name for entry in (self._maildir / "new").iterdir() if entry.is_file())
        return sorted(names)[:MAX_MAILS]

    def _read(self, name: str) -> Bounce | None:
        try:
            with (self._maildir / "new" / name).open("rb") as file:
                content = file.read(MAX_BOUNCE_BYTES)
        except FileNotFoundError:
            return None
        try:
            return read_bounce(self._key, content)
        except Exception as error:  # anybody may have sent it, and the parser raises errors of many classes
            logger.warning("bounce_unreadable", error=type(error).__name__)
            return None

    async def _publish(self, bounce: Bounce) -> None:
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
        )
        await self._log.publish(event, message_id=run_message_id(bounce.run_id, "mail-bounced", digest))
        await self._bucket.put(key, b"")
        logger.info("mail_bounced", kind=bounce.kind, status=bounce.status)
        if self._operator is not None:
            self._operator.report_bounce(
                bounce.job_name, str(bounce.run_id), bounce.recipient, f"{bounce.status} {bounce.answer}"
            )
