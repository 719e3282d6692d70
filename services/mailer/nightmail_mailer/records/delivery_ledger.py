"""The delivery ledger: what was sent to whom, so that a redelivered event sends no mail twice."""

import asyncio
import hashlib
from datetime import datetime
from typing import Literal
from uuid import UUID
from weakref import WeakValueDictionary

from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue
from pydantic import BaseModel

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.contract.events import MailKind
from nightmail_common.contract.mail_outcomes import MailAnswer


class LedgerEntry(BaseModel, frozen=True):
    """The outcome of one recipient's mail, or the last attempt of one that is not `final` and is retried.

    `lost` counts the attempts after which it is unknown whether the server has the mail. `since`: the first attempt;
    `next_attempt`: no mailer tries before; `reported_at`: the last `mail-deferred` event;
    `consequence`: of the last reply (`reply_rules`).
    """

    outcome: MailAnswer | Literal["waiting"]
    answer: str
    final: bool = True
    lost: int = 0
    attempts: int = 0
    since: datetime | None = None
    next_attempt: datetime | None = None
    reported_at: datetime | None = None
    consequence: str | None = None


class DeliveryLedger:
    """The entries by `ledger_key`, in the bucket `MAILED`."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock_for(self, key: str) -> asyncio.Lock:
        """Return the lock to hold from `find` to `record`.

        An event whose heartbeats did not reach the broker is redelivered while its mail is being sent: the second
        delivery waits, and then finds the outcome of the first.
        """
        return self._locks.setdefault(key, asyncio.Lock())

    async def find(self, key: str) -> LedgerEntry | None:
        try:
            found = await self._bucket.get(key)
        except KeyNotFoundError:
            return None
        return LedgerEntry.model_validate_json(found.value or b"")

    async def record(self, key: str, entry: LedgerEntry) -> None:
        """Write an entry, however long the broker is away.

        The mail is gone: a handler that gave its event back before the entry is written would let another mailer send it
        again.
        """
        await retry_forever(lambda: self._bucket.put(key, entry.model_dump_json().encode()), "delivery_ledger")


def ledger_key(run_id: UUID, kind: MailKind, recipient: str, request_id: UUID | None, split_value: str | None) -> str:
    """Return the key of one recipient's mail; with an empty recipient, the key of a mail whose outcome is in the log.

    The hash is salted with the run, so the bucket cannot be searched for an address. A run's entries are purged by its id.
    """
    of_slice = "" if split_value is None else f"\0{split_value}"
    digest = hashlib.sha256(f"{run_id}\0{recipient}{of_slice}".encode()).hexdigest()[:32]
    return f"{run_id}.{kind}.{digest}" + ("" if request_id is None else f".{request_id}")
