"""Which mailer mails about a cause, and for how long none does so again."""

import hashlib
from datetime import UTC, datetime, timedelta

from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue


class Claims:
    """The times of the last mail about each cause, in the bucket `MAILED`. Mailers race by revision; the loser sends nothing."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    async def claim(self, cause: str, interval: timedelta) -> bool:
        """Return whether this mailer sends the mail about a cause; within `interval` after that, no mailer does.

        Raises:
            nats.errors.Error: the bucket does not answer.
        """
        key = f"operator.{hashlib.sha256(cause.encode()).hexdigest()[:32]}"
        now = datetime.now(UTC)
        revision = 0
        try:
            found = await self._bucket.get(key)
            if now - datetime.fromisoformat((found.value or b"").decode()) < interval:
                return False
            revision = found.revision or 0
        except KeyNotFoundError:
            pass
        try:
            await self._bucket.update(key, now.isoformat().encode(), last=revision)
        except KeyWrongLastSequenceError:
            return False
        return True
