"""The samples of previews: their names, and how many a caller has. A name holds the caller, so that nobody uses another's."""

import hashlib
from collections import deque
from uuid import UUID

import structlog

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.sample_store import SampleStore
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.limits import MAX_API_PREVIEWS, MAX_TOKEN_SAMPLES

#: Per replica. The caller who has been idle for the longest time is dropped; their samples expire.
_MAX_CALLERS = 32 * MAX_API_PREVIEWS

logger = structlog.get_logger()


class PreviewSamples:
    """Names samples, and removes a caller's oldest one when there are more than `MAX_TOKEN_SAMPLES`."""

    def __init__(self, store: SampleStore) -> None:
        self._store = store
        self._kept: dict[str, deque[str]] = {}

    def name(self, caller: str, sample_id: UUID) -> str:
        """Return the name of the object."""
        return f"{hashlib.sha256(caller.encode()).hexdigest()[:32]}.{sample_id}"

    async def add(self, caller: str, sample_id: UUID) -> None:
        """Count a sample that a runner has kept."""
        own = self._kept.pop(caller, deque())
        self._kept[caller] = own  # the last one
        own.append(self.name(caller, sample_id))
        while len(self._kept) > _MAX_CALLERS:
            del self._kept[next(iter(self._kept))]
        while len(own) > MAX_TOKEN_SAMPLES:
            oldest = own.popleft()
            try:
                await self._store.remove(oldest)
            except BROKER_ERRORS as error:  # it expires
                logger.warning("sample_not_removed", error=describe_error(error))
