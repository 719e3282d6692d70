"""Failure streaks: a job that fails every minute mails once an hour, with the count, and once when it recovers."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue
from pydantic import BaseModel, Field

#: From one failure mail of a streak to the next.
NOTIFY_INTERVAL = timedelta(hours=1)
#: So many failures are recognised when their event is redelivered; of a longer streak only the count is kept.
MAX_RECOGNISED = 200


class FailureStreak(BaseModel, frozen=True, validate_by_name=True, serialize_by_alias=True):
    """A job's failures in a row. Sequences are those of the `run-failed` events.

    `notified` is the failure whose mail was sent last, `notified_at` when, in this streak or the one before; the bucket
    stores them under their first names. `recovery` is the first result after the streak: it alone is mailed as one.
    """

    since: datetime
    first: int
    count: int
    counted: tuple[int, ...]
    notified: int | None = Field(default=None, alias="told")
    notified_at: datetime | None = Field(default=None, alias="told_at")
    recovery: int | None = None


def with_failure(streak: FailureStreak | None, sequence: int, failed_at: datetime) -> FailureStreak:
    """Return the streak with one more failure; the same streak if the failure is already counted."""
    if streak is None or (streak.recovery is not None and sequence > streak.recovery):
        notified_at = None if streak is None else streak.notified_at
        longer = FailureStreak(since=failed_at, first=sequence, count=1, counted=(sequence,), notified_at=notified_at)
    elif sequence in streak.counted:
        return streak
    else:
        counted = (*streak.counted[1 - MAX_RECOGNISED :], sequence)
        longer = streak.model_copy(update={"count": streak.count + 1, "counted": counted})
    if longer.notified_at is not None and failed_at - longer.notified_at < NOTIFY_INTERVAL:
        return longer
    return longer.model_copy(update={"notified": sequence, "notified_at": failed_at})


class FailureStreaks:
    """The streaks by job, in the bucket `STREAKS`. Two mailers race by revision; the loser reads again."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    async def failed(self, job_id: UUID, sequence: int, failed_at: datetime) -> FailureStreak:
        """Count a failure, once however often its event is delivered, and return the streak with it."""
        while True:
            streak, revision = await self._load(job_id)
            longer = with_failure(streak, sequence, failed_at.astimezone(UTC))
            if longer == streak or await self._store(job_id, longer, revision):
                return longer

    async def recovered(self, job_id: UUID, sequence: int) -> FailureStreak | None:
        """Return the streak that a result ends; None if there is none or another result ended it."""
        while True:
            streak, revision = await self._load(job_id)
            if streak is None or sequence < streak.first or streak.recovery not in {None, sequence}:
                return None
            ended = streak.model_copy(update={"recovery": sequence})
            if ended == streak or await self._store(job_id, ended, revision):
                return ended

    async def _load(self, job_id: UUID) -> tuple[FailureStreak | None, int]:
        try:
            found = await self._bucket.get(str(job_id))
        except KeyNotFoundError:
            return None, 0
        return FailureStreak.model_validate_json(found.value or b""), found.revision or 0

    async def _store(self, job_id: UUID, streak: FailureStreak, revision: int) -> bool:
        """Store a streak; False if another mailer changed it since `revision`."""
        try:
            await self._bucket.update(str(job_id), streak.model_dump_json().encode(), last=revision)
        except KeyWrongLastSequenceError:
            return False
        return True
