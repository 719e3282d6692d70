"""Failure streaks: a job that fails every minute mails once an hour, with the count, and once when it works again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue
from pydantic import BaseModel, ConfigDict

#: From one failure mail of a streak to the next.
QUIET = timedelta(hours=1)
#: So many failures are told apart when an event is delivered again; of a longer streak only the count is kept.
REMEMBERED = 200


class Streak(BaseModel):
    """A job's failures in a row. Sequences are those of the `run-failed` events.

    `told` is the failure whose mail was sent last, `told_at` when, of this streak or of the one before. `recovery` is
    the result whose mailer says that the job works again: the first one, and no other.
    """

    model_config = ConfigDict(frozen=True)

    since: datetime
    first: int
    count: int
    counted: tuple[int, ...]
    told: int | None = None
    told_at: datetime | None = None
    recovery: int | None = None


def with_failure(streak: Streak | None, sequence: int, failed_at: datetime) -> Streak:
    """Return the streak with one more failure; the same if it is counted already."""
    if streak is None:
        longer = Streak(since=failed_at, first=sequence, count=1, counted=(sequence,))
    elif streak.recovery is not None and sequence > streak.recovery:
        longer = Streak(since=failed_at, first=sequence, count=1, counted=(sequence,), told_at=streak.told_at)
    elif sequence in streak.counted:
        return streak
    else:
        counted = (*streak.counted[1 - REMEMBERED :], sequence)
        longer = streak.model_copy(update={"count": streak.count + 1, "counted": counted})
    if longer.told_at is not None and failed_at - longer.told_at < QUIET:
        return longer
    return longer.model_copy(update={"told": sequence, "told_at": failed_at})


class Streaks:
    """The streaks by job, in the bucket `STREAKS`."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    async def failed(self, job_id: UUID, sequence: int, failed_at: datetime) -> Streak:
        """Count a failure, once however often it is delivered, and return the streak with it."""
        while True:
            streak, revision = await self._load(job_id)
            longer = with_failure(streak, sequence, failed_at.astimezone(UTC))
            if longer == streak or await self._store(job_id, longer, revision):
                return longer

    async def worked(self, job_id: UUID, sequence: int) -> Streak | None:
        """Return the streak that a result ends, or None if there is none or another result ended it."""
        while True:
            streak, revision = await self._load(job_id)
            if streak is None or sequence < streak.first or streak.recovery not in {None, sequence}:
                return None
            ended = streak.model_copy(update={"recovery": sequence})
            if ended == streak or await self._store(job_id, ended, revision):
                return ended

    async def _load(self, job_id: UUID) -> tuple[Streak | None, int]:
        try:
            found = await self._bucket.get(str(job_id))
        except KeyNotFoundError:
            return None, 0
        return Streak.model_validate_json(found.value or b""), found.revision or 0

    async def _store(self, job_id: UUID, streak: Streak, revision: int) -> bool:
        """Store a streak; False if another mailer changed it meanwhile: the caller reads again."""
        try:
            await self._bucket.update(str(job_id), streak.model_dump_json().encode(), last=revision)
        except KeyWrongLastSequenceError:
            return False
        return True
