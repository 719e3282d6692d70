"""Purges pieces without an entry: of an upload that a crash cut off, or that lost a race. Nothing else removes them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import nats.errors
import structlog

from nightmail_common.broker.object_bucket import ObjectBucket
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.contract.errors import describe_error

#: No upload takes so long: one of a file has 10 minutes, one of a result or an input ends with its runner's attempt.
MIN_AGE = timedelta(hours=6)
#: One request for each object of a bucket, some 0.2 ms.
SWEEP_SECONDS = 6 * 3600.0

logger = structlog.get_logger()


class OrphanedPieces:
    """Purges the orphaned pieces of buckets. Every replica does; a purge of what is gone does nothing.

    Args:
        min_age: pieces are younger than this while their upload may still be going on.
    """

    def __init__(self, buckets: Sequence[ObjectBucket], min_age: timedelta = MIN_AGE) -> None:
        self._buckets = buckets
        self._min_age = min_age

    async def run(self) -> None:
        """Purge them for ever."""
        while True:
            raise_if_cancelled()
            for bucket in self._buckets:
                try:
                    await self.purge(bucket)
                except (nats.errors.Error, OSError, ValueError) as error:
                    logger.warning("orphans_not_purged", bucket=bucket.name, error=describe_error(error))
            await asyncio.sleep(SWEEP_SECONDS)

    async def purge(self, bucket: ObjectBucket) -> int:
        """Purge the pieces that are old and that no entry names; return of how many uploads.

        The pieces are listed before the entries: pieces whose entry comes after the list of entries are young.

        Raises:
            ValueError: an entry cannot be read; nothing is purged, because its pieces are not known.
            nats.errors.Error: the broker does not answer.
        """
        stored = await bucket.stored_pieces()
        orphans = stored - await bucket.named_pieces() if stored else stored
        oldest = datetime.now(UTC) - self._min_age
        purged = 0
        for pieces in orphans:
            written_at = await bucket.written_at(pieces)
            if written_at is not None and written_at < oldest:
                await bucket.purge(pieces)
                logger.info("orphan_purged", bucket=bucket.name, pieces=pieces, written_at=written_at.isoformat())
                purged += 1
        return purged
