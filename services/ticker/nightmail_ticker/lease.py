"""The lease: one ticker publishes at a time. It is a key in a bucket that deletes keys after `LEASE_TTL`.

The lease only keeps tickers from doing the same work. It does not make runs unique: a ticker that was suspended can
publish after its term, and the log refuses what another ticker stored before (see `publish`).
"""

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress

import structlog
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.broker.streams import LEASE_KEY, LEASE_TTL
from nightmail_common.contract.errors import describe_error

TTL_SECONDS = LEASE_TTL.total_seconds()
#: From one renewal to the next. With the two constants below, two whole tries end within the TTL: at 1.9 and 2.9 s.
RENEW_INTERVAL_SECONDS = 1.0
ANSWER_TIMEOUT_SECONDS = 0.9
RETRY_PAUSE_SECONDS = 0.1
#: A standby acquires the lease at most this long after it expires.
ACQUIRE_INTERVAL_SECONDS = 0.5
#: Longer than an answer takes; at shutdown the broker may be away for good.
RELEASE_TIMEOUT_SECONDS = 1.0

logger = structlog.get_logger()


class Term:
    """One uninterrupted hold of the lease. A term that has ended stays ended: only a new term can follow it.

    Args:
        until: when it ends unless it is extended, in seconds of `time.monotonic()`.
    """

    def __init__(self, until: float) -> None:
        self._until = until

    @property
    def active(self) -> bool:
        return time.monotonic() < self._until

    def extend(self, until: float) -> None:
        """Let the term last longer, unless it has ended: what fell due since then was not published."""
        if self.active:
            self._until = until

    def end(self) -> None:
        self._until = -1.0


class Lease:
    """The right to publish due times.

    Args:
        bucket: the bucket `LEASES`.
        holder: names this ticker; no other ticker has the same.
    """

    def __init__(self, bucket: KeyValue, holder: str) -> None:
        self._bucket = bucket
        self._holder = holder.encode()
        self._revision = 0

    async def acquire(self) -> Term:
        """Return a new term as soon as no other ticker holds the lease."""
        logged = False
        while True:
            raise_if_cancelled()
            # The TTL counts from when the broker stores the key: a term counts from before, and ends first.
            asked = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                    acquired = (
                        await self._write(self._bucket.create(LEASE_KEY, self._holder)) or await self._update_own()
                    )
                if acquired:
                    return Term(asked + TTL_SECONDS)
            except BROKER_ERRORS as error:
                if not logged:  # once, however long the broker is away
                    logger.info("lease_unreachable", error=describe_error(error))
                    logged = True
            await asyncio.sleep(ACQUIRE_INTERVAL_SECONDS)

    async def keep(self, term: Term) -> None:
        """Renew the lease until the term ends."""
        pause = RENEW_INTERVAL_SECONDS
        while term.active:
            await asyncio.sleep(pause)
            raise_if_cancelled()
            asked = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                    renewed = await self._update() or await self._update_own()
            except BROKER_ERRORS as error:
                logger.info("lease_not_renewed", error=describe_error(error))
                pause = RETRY_PAUSE_SECONDS
            else:
                if not renewed:
                    term.end()
                term.extend(asked + TTL_SECONDS)
                pause = max(0.0, asked + RENEW_INTERVAL_SECONDS - time.monotonic())

    async def release(self, term: Term) -> None:
        """End the term and delete the key, so that a standby need not wait until the lease expires."""
        if term.active:
            term.end()
            with suppress(*BROKER_ERRORS):
                async with asyncio.timeout(RELEASE_TIMEOUT_SECONDS):
                    await self._bucket.delete(LEASE_KEY, last=self._revision)

    async def _update(self) -> bool:
        return await self._write(self._bucket.update(LEASE_KEY, self._holder, last=self._revision))

    async def _update_own(self) -> bool:
        """Update the key if it is this ticker's: an update whose answer was lost changed the revision."""
        try:
            entry = await self._bucket.get(LEASE_KEY)
        except KeyNotFoundError:
            return False
        if entry.value != self._holder or entry.revision is None:
            return False
        self._revision = entry.revision
        return await self._update()

    async def _write(self, write: Awaitable[int]) -> bool:
        """Return whether the key was stored: it is not if its revision is another one."""
        try:
            self._revision = await write
        except KeyWrongLastSequenceError:
            return False
        return True
