"""The ledger: what was sent to whom, so that an event that is delivered again sends nothing twice."""

import hashlib
from uuid import UUID

from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue
from pydantic import BaseModel, ConfigDict

from nightmail_common.events import MailAnswer, MailKind


class Entry(BaseModel):
    """What is known of one recipient's mail. `uncertain` is not the end unless `final`: it is tried again.

    `lost` counts the tries after which nobody knows whether the mail is there.
    """

    model_config = ConfigDict(frozen=True)

    outcome: MailAnswer
    answer: str
    final: bool = True
    lost: int = 0


class Sent:
    """The ledger's entries by run, kind, recipient and, for a mail sent again, the request; in the bucket `MAILED`."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    async def find(self, run_id: UUID, kind: MailKind, recipient: str, request_id: UUID | None) -> Entry | None:
        try:
            found = await self._bucket.get(_key(run_id, kind, recipient, request_id))
        except KeyNotFoundError:
            return None
        return Entry.model_validate_json(found.value or b"")

    async def record(self, run_id: UUID, kind: MailKind, recipient: str, request_id: UUID | None, entry: Entry) -> None:
        await self._bucket.put(_key(run_id, kind, recipient, request_id), entry.model_dump_json().encode())


def _key(run_id: UUID, kind: MailKind, recipient: str, request_id: UUID | None) -> str:
    # Salted with the run: nobody can look an address up in the bucket, and a run's entries are purged by its id.
    digest = hashlib.sha256(f"{run_id}\0{recipient}".encode()).hexdigest()[:32]
    return f"{run_id}.{kind}.{digest}" + ("" if request_id is None else f".{request_id}")
