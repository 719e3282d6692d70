"""The record of what was sent to whom, so that an event that is delivered again sends nothing twice."""

import hashlib
from uuid import UUID

from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue

from nightmail_common.events import MailKind, RecipientOutcome


class Sent:
    """What the SMTP server said for good, by run, kind and recipient, in the bucket `MAILED`."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    async def find(self, run_id: UUID, kind: MailKind, recipient: str) -> RecipientOutcome | None:
        try:
            entry = await self._bucket.get(_key(run_id, kind, recipient))
        except KeyNotFoundError:
            return None
        return RecipientOutcome.model_validate_json(entry.value or b"")

    async def record(self, run_id: UUID, kind: MailKind, outcome: RecipientOutcome) -> None:
        await self._bucket.put(_key(run_id, kind, outcome.address), outcome.model_dump_json().encode())


def _key(run_id: UUID, kind: MailKind, recipient: str) -> str:
    return f"{run_id}.{kind}.{hashlib.sha256(recipient.encode()).hexdigest()[:32]}"
