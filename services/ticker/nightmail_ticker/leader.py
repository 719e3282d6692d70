"""Who fires: one ticker at a time, by a lease in a bucket whose keys go by themselves.

The lease keeps the tickers out of each other's way. It is not what makes runs unique: a leader that was stopped,
lost its lease and goes on for an instant is harmless because of what its requests expect of the log (see `fire`).
"""

import asyncio
import time
from contextlib import suppress

import nats.errors
import structlog
from nats.js.errors import KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from nightmail_common.broker.cancellation import end_if_cancelled
from nightmail_common.broker.streams import LEASE_TTL

KEY = "ticker"
RENEW_SECONDS = 1.0
#: With the lease's 3 s, a standby leads at most 3.5 s after the leader's last sign of life.
CAMPAIGN_SECONDS = 0.5
#: Longer than any answer takes; the broker may be gone for good.
RESIGN_SECONDS = 1.0

logger = structlog.get_logger()


class Lease:
    """The right to fire. `holder` tells this ticker from all others."""

    def __init__(self, bucket: KeyValue, holder: str) -> None:
        self._bucket = bucket
        self._holder = holder.encode()
        self._revision = 0
        self._until = 0.0

    @property
    def held(self) -> bool:
        """Whether this ticker leads. Counted from before the last renewal was sent: it ends here first."""
        return time.monotonic() < self._until

    async def campaign(self) -> None:
        """Return when this ticker leads."""
        told = False
        while not self.held:
            end_if_cancelled()
            try:
                if not await self._take():
                    await asyncio.sleep(CAMPAIGN_SECONDS)
            except (nats.errors.Error, OSError) as error:
                if not told:  # once, however long the broker is away
                    logger.info("lease_unreachable", error=str(error) or type(error).__name__)
                    told = True
                await asyncio.sleep(CAMPAIGN_SECONDS)

    async def keep(self) -> None:
        """Renew the lease; return when it is lost."""
        while self.held:
            await asyncio.sleep(RENEW_SECONDS)
            end_if_cancelled()
            asked = time.monotonic()
            try:
                self._revision = await self._bucket.update(KEY, self._holder, last=self._revision)
                self._until = asked + LEASE_TTL.total_seconds()
            except KeyWrongLastSequenceError:
                # It had expired and whoever made the key anew leads now; or the last renewal's answer got lost.
                await self._take_back()
            except (nats.errors.Error, OSError) as error:
                logger.info("lease_not_renewed", error=str(error) or type(error).__name__)

    async def _take(self) -> bool:
        asked = time.monotonic()
        try:
            self._revision = await self._bucket.create(KEY, self._holder)
        except KeyWrongLastSequenceError:
            return False
        self._until = asked + LEASE_TTL.total_seconds()
        return True

    async def _take_back(self) -> None:
        with suppress(nats.errors.Error, OSError):
            entry = await self._bucket.get(KEY)
            if entry.value == self._holder and entry.revision is not None:
                self._revision = entry.revision  # the next renewal rests on it
                return
        self._until = 0.0

    async def resign(self) -> None:
        """Let a standby lead at once instead of when the lease expires."""
        if self.held:
            self._until = 0.0
            with suppress(nats.errors.Error, OSError, TimeoutError):
                async with asyncio.timeout(RESIGN_SECONDS):
                    await self._bucket.delete(KEY, last=self._revision)
