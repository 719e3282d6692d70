"""An outcome in, mails out: each recipient once, the answer of the server for each in the log, then the ack."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import nats.errors
import structlog
from faststream.nats.annotations import NatsMessage
from nats.js.object_store import ObjectStore

from nightmail_common.envelope import TRACEPARENT, run_message_id
from nightmail_common.events import Blob, MailFailed, MailKind, MailSent, RecipientOutcome, ResultReady, RunFailed
from nightmail_common.log import EventLog
from nightmail_common.logging import run_context
from nightmail_mailer.messages import failure_mail, message_id, result_mail
from nightmail_mailer.sent import Sent
from nightmail_mailer.smtp import Smtp, TemporaryFailure

HEARTBEAT_SECONDS = 10.0
#: The first wait for a server that could not take a mail; it doubles with each delivery, up to the longest.
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 300.0
RESULT_TIMEOUT_SECONDS = 60.0

logger = structlog.get_logger()


class Delivery:
    """Handles the events `result-ready` and `run-failed`."""

    def __init__(self, log: EventLog, smtp: Smtp, sent: Sent, results: ObjectStore, sender: str) -> None:
        self._log = log
        self._smtp = smtp
        self._sent = sent
        self._results = results
        self._sender = sender

    async def take_result(self, message: NatsMessage) -> None:
        """Mail a result to every recipient of its job."""
        event = ResultReady.model_validate_json(message.body)
        with run_context(event.run_id, event.job_name):
            async with _heartbeats(message):
                csv = await self._csv(event.csv)
                mail = result_mail(event, csv, self._sender)
                await self._deliver(event, "result", mail, message, event.csv.sha256)

    async def take_failure(self, message: NatsMessage) -> None:
        """Tell the recipients of a job that a run failed, unless its owner does not want that."""
        event = RunFailed.model_validate_json(message.body)
        with run_context(event.run_id, event.job_name):
            if not event.job.notify_on_failure:
                await message.ack()
                return
            async with _heartbeats(message):
                await self._deliver(event, "failure", failure_mail(event, self._sender), message, None)

    async def _deliver(
        self,
        event: ResultReady | RunFailed,
        kind: MailKind,
        mail: EmailMessage,
        message: NatsMessage,
        attachment_sha256: str | None,
    ) -> None:
        data = mail.as_bytes(policy=SMTP)
        sending = [self._send_once(event, kind, data, recipient) for recipient in event.job.consumer_emails]
        outcomes = await asyncio.gather(*sending)
        final = tuple(outcome for outcome in outcomes if isinstance(outcome, RecipientOutcome))
        if len(final) < len(outcomes):
            wait = _retry_seconds(message.raw_message.metadata.num_delivered)
            logger.warning("mail_deferred", waiting=len(outcomes) - len(final), retry_in_s=wait)
            await message.nack(delay=wait)
            return
        facts: dict[str, Any] = {
            "job_name": event.job_name,
            "run_id": event.run_id,
            "kind": kind,
            "message_id": message_id(event.run_id, kind),
            "recipients": final,
            "attachment_sha256": attachment_sha256,
        }
        accepted = sum(outcome.outcome == "accepted" for outcome in final)
        told = MailSent(**facts) if accepted else MailFailed(**facts, reason="every recipient was refused")
        await self._log.publish(
            told,
            message_id=run_message_id(event.run_id, "mail", kind),
            traceparent=message.headers.get(TRACEPARENT),
        )
        logger.info(told.name.replace("-", "_"), kind=kind, accepted=accepted, refused=len(final) - accepted)
        await message.ack()

    async def _send_once(
        self, event: ResultReady | RunFailed, kind: MailKind, mail: bytes, recipient: str
    ) -> RecipientOutcome | None:
        """Return what the server said for good, now or before; None if it is to be tried again."""
        before = await self._sent.find(event.run_id, kind, recipient)
        if before is not None:
            return before
        try:
            outcome = await self._smtp.send(_addressed(mail, recipient), recipient)
        except TemporaryFailure as failure:
            logger.warning("mail_not_taken", why=str(failure))
            return None
        await self._sent.record(event.run_id, kind, outcome)
        return outcome

    async def _csv(self, blob: Blob) -> bytes:
        if blob.data is not None:
            return blob.data
        assert blob.object_name is not None
        found = await asyncio.wait_for(self._results.get(blob.object_name), RESULT_TIMEOUT_SECONDS)
        data = bytes(found.data or b"")
        assert hashlib.sha256(data).hexdigest() == blob.sha256
        return data


def _addressed(mail: bytes, recipient: str) -> bytes:
    """Return a mail to one recipient, who learns of no other."""
    return f"To: {recipient}\r\n".encode() + mail


def _retry_seconds(deliveries: int) -> float:
    return float(min(FIRST_RETRY_SECONDS * 2 ** min(deliveries - 1, 16), LONGEST_RETRY_SECONDS))


@asynccontextmanager
async def _heartbeats(message: NatsMessage) -> AsyncIterator[None]:
    async def beat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with suppress(nats.errors.Error):
                await message.in_progress()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
