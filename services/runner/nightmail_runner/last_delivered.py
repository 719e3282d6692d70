"""The last delivered result of a job: `previous` of its script, and what its next report is compared with.

The runner finds it in the log when a job needs it, so that no other service keeps a second record of it
(`docs/decisions/0110-find-the-last-delivered-result-in-the-log.md`).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nats.js.api import Header

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.errors import TRANSIENT_ERRORS
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.broker.results import ResultDamaged, ResultGone, ResultStore
from nightmail_common.contract.envelope import StoredEvent, run_message_id
from nightmail_common.contract.events import MailSent, ResultReady
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import job_token
from nightmail_runner.sandbox.memory import MemoryFile

#: How far the search goes back: first a day, then further only if no result of that time was delivered. A job that runs
#: each minute has 1,440 results a day.
SPANS = (timedelta(days=1), timedelta(days=10))
#: How far the clocks of the API, which sets a job's `created_at`, and of the broker may differ.
CLOCK_SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class Previous:
    """The last delivered result. `csv` is a sealed file with its bytes; None if they were not asked for."""

    event: ResultReady
    csv: MemoryFile | None = None


class LastDelivered:
    """Finds and reads the last result of a job that was mailed to at least one recipient."""

    def __init__(self, log: EventLog, results: ResultStore) -> None:
        self._log = log
        self._results = results

    async def read(self, job: Job, *, with_csv: bool) -> tuple[Previous | None, str | None]:
        """Return the last delivered result, and a note if one was delivered and is kept no longer.

        Args:
            with_csv: read its bytes, too.

        Raises:
            nats.errors.Error: a permanent error of the broker; it waits for a broker that is away.
        """
        event = await retry_forever(lambda: self._find(job), "find_last_delivered")
        if event is None or not with_csv:
            return (None if event is None else Previous(event)), None
        try:
            csv = await retry_forever(
                lambda: self._results.get(event.csv), "read_last_delivered", (*TRANSIENT_ERRORS, TimeoutError)
            )
        except (ResultGone, ResultDamaged) as error:
            return None, f"of the last delivered result, the run {event.run_id}: {error}"
        return Previous(event, MemoryFile.of(csv, "previous")), None

    async def _find(self, job: Job) -> ResultReady | None:
        results = f"runs.{job_token(job.job_name)}.{ResultReady.name}"
        mails = f"runs.{job_token(job.job_name)}.{MailSent.name}"
        last = await _last(self._log.replay([results], last_per_subject=True, headers_only=True))
        mail = await _last(self._log.replay([mails], last_per_subject=True))
        if last is None or mail is None:
            return None
        sequence: int | None = last.sequence
        if _message_id(last) not in _delivered([mail]):
            sequence = await self._search(results, mails, job)
        stored = None if sequence is None else await self._log.first_event(results, after=sequence - 1)
        event = None if stored is None else readable(stored, "last_delivered")
        # A job of the same name that was deleted is another job.
        return event if isinstance(event, ResultReady) and event.job.job_id == job.job_id else None

    async def _search(self, results: str, mails: str, job: Job) -> int | None:
        """Return the sequence of the last delivered result. A mail follows its result, so both are in one span."""
        now, first = datetime.now(UTC), job.created_at - CLOCK_SLACK
        for since in (*(now - span for span in SPANS if now - span > first), first):
            delivered: set[str] = set()
            async for batch in self._log.replay([mails], since=since):
                delivered |= _delivered(batch)
            found = None
            async for batch in self._log.replay([results], since=since, headers_only=True):
                for stored in batch:
                    found = stored.sequence if _message_id(stored) in delivered else found
            if found is not None:
                return found
        return None


async def _last(batches: AsyncIterator[list[StoredEvent]]) -> StoredEvent | None:
    found = None
    async for batch in batches:
        found = batch[-1]
    return found


def _delivered(mails: list[StoredEvent]) -> set[str]:
    """Return the message ids of the results that these mails carried."""
    events = (readable(stored, "last_delivered") for stored in mails)
    return {
        run_message_id(event.run_id, "outcome")
        for event in events
        if isinstance(event, MailSent) and event.kind == "result"
    }


def _message_id(result: StoredEvent) -> str | None:
    """Return the message id of a result, which names its run and is read without its data."""
    return result.headers.get(Header.MSG_ID.value)
