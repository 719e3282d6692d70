"""The ledger: what was sent to whom, so that an event that is delivered again sends nothing twice."""

import asyncio
import hashlib
from uuid import UUID
from weakref import WeakValueDictionary

from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue
from pydantic import BaseModel, ConfigDict

from nightmail_common.contract.events import MailAnswer, MailKind


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
    """The ledger's entries by run, kind, recipient and, for a mail sent again, the request; in the bucket `MAILED`.

    What cannot be written because the broker is away is remembered here: its event is delivered again, to this mailer if
    there is no other, and the mail must not be sent again.
    """

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket
        self._unwritten: dict[str, Entry] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def alone(self, run_id: UUID, kind: MailKind, recipient: str, request_id: UUID | None) -> asyncio.Lock:
        """Return what to hold from looking an entry up to recording it.

        An event whose heartbeats did not reach the broker comes again while its mail is still on its way: the second
        waits, and then finds what became of the first.
        """
        return self._locks.setdefault(_key(run_id, kind, recipient, request_id), asyncio.Lock())

    async def find(self, run_id: UUID, kind: MailKind, recipient: str, request_id: UUID | None) -> Entry | None:
        key = _key(run_id, kind, recipient, request_id)
        if (unwritten := self._unwritten.get(key)) is not None:
            await self._write(key, unwritten)
            return unwritten
        try:
            found = await self._bucket.get(key)
        except KeyNotFoundError:
            return None
        return Entry.model_validate_json(found.value or b"")

    async def record(self, run_id: UUID, kind: MailKind, recipient: str, request_id: UUID | None, entry: Entry) -> None:
        key = _key(run_id, kind, recipient, request_id)
        self._unwritten[key] = entry
        await self._write(key, entry)

    async def _write(self, key: str, entry: Entry) -> None:
        await self._bucket.put(key, entry.model_dump_json().encode())
        self._unwritten.pop(key, None)


def _key(run_id: UUID, kind: MailKind, recipient: str, request_id: UUID | None) -> str:
    # Salted with the run: nobody can look an address up in the bucket, and a run's entries are purged by its id.
    digest = hashlib.sha256(f"{run_id}\0{recipient}".encode()).hexdigest()[:32]
    return f"{run_id}.{kind}.{digest}" + ("" if request_id is None else f".{request_id}")
