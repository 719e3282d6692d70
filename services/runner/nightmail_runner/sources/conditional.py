"""Conditional requests (RFC 9110 section 13): a source that has not changed sends no body.

The run then reads the bytes that the bucket `INPUTS` has of an earlier run. What the source said of them (its `ETag` and
`Last-Modified`) is in the event `input-kept`.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.object_bucket import ObjectChanged, ObjectEntry
from nightmail_common.broker.readable import readable
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import InputKept
from nightmail_common.contract.job import DataSource, Job
from nightmail_common.contract.kept_input import Validators
from nightmail_common.contract.limits import MAX_VALIDATOR_CHARS
from nightmail_common.contract.request_headers import is_header_value
from nightmail_common.contract.source_templates import fill_times
from nightmail_common.contract.subjects import job_token
from nightmail_runner.sources.input import Input
from nightmail_runner.sources.redirects import SourceRequest
from nightmail_runner.template_times import SourceTimes

#: A runner publishes the events of all inputs of a run within this time (nine of them, 10 s each).
_EVENTS_OF_RUN = timedelta(seconds=100)
#: A source that changes twice within a second has the same Last-Modified for both (RFC 9110 section 8.8.2.2).
_CLOCK_TICK = timedelta(seconds=1)
_NOT_READABLE: tuple[type[Exception], ...] = (ObjectChanged, *BROKER_ERRORS)
#: The headers of a condition; a source that sets one of them asks its own questions.
_CONDITIONS = frozenset({"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"})


@dataclass(frozen=True)
class KeptAnswer:
    """The last answer of a source, whose bytes are in the bucket `INPUTS`."""

    entry: ObjectEntry
    charset: str | None
    validators: Validators

    def condition(self, request: SourceRequest) -> SourceRequest:
        """Return a request that asks for the body only if the source has changed."""
        headers = dict(request.headers)
        if self.validators.etag is not None:
            headers["If-None-Match"] = self.validators.etag
        if self.validators.last_modified is not None:
            headers["If-Modified-Since"] = self.validators.last_modified
        return replace(request, headers=headers, conditional=True)


@dataclass(frozen=True)
class Memory:
    """What a fetch remembers of the same request. `kept` is None if no earlier answer to it is kept."""

    request_sha256: str
    kept: KeptAnswer | None
    store: InputStore

    async def read(self, kept: KeptAnswer, data: Input) -> bool:
        """Write the bytes of a kept answer to `data`; False if they are kept no longer.

        Raises:
            CannotFetch: they are larger than the limit.
        """
        write = data.begin()
        try:
            async for piece in self.store.read(kept.entry):
                write(piece)
        except _NOT_READABLE:
            return False
        if data.sha256() != kept.entry.name:
            return False
        data.charset, data.validators = kept.charset, kept.validators
        data.add_note(f"the source has not changed since {kept.validators.fetched_at:%Y-%m-%d %H:%M} UTC")
        return True

    def validators(self, headers: httpx.Headers) -> Validators | None:
        """Return the validators in the headers of a response; None if there are none."""
        etag, modified = _usable(headers.get("etag")), _usable(headers.get("last-modified"))
        if etag is None and (modified is None or not _is_settled(modified, headers.get("date"))):
            return None
        return Validators(
            etag=etag, last_modified=modified, request_sha256=self.request_sha256, fetched_at=datetime.now(UTC)
        )


class KeptAnswers:
    """Finds the last answers of a job's sources."""

    def __init__(self, log: EventLog, store: InputStore) -> None:
        self._log = log
        self._store = store

    async def find(self, job: Job) -> dict[str, KeptAnswer]:
        """Return the kept answers by the names of their sources."""
        return await retry_forever(lambda: self._find(job), "find_kept_answers")

    def memory(self, job: Job, source: DataSource, times: SourceTimes, kept: KeptAnswer | None) -> Memory:
        """Return the memory of one request: a kept answer counts if it answers the same request of the same job."""
        params = [str(value) for value in (source.params or {}).values()]
        filled = [fill_times(text, times.values) for text in (source.location, *params)]
        request = json.dumps([str(job.job_id), source.model_dump_json(), filled])
        request_sha256 = hashlib.sha256(request.encode()).hexdigest()
        same = kept is not None and kept.validators.request_sha256 == request_sha256
        return Memory(request_sha256, kept if same else None, self._store)

    async def _find(self, job: Job) -> dict[str, KeptAnswer]:
        events = {event.source: event for event in await self._last_events(job)}
        found: dict[str, KeptAnswer] = {}
        for name, event in events.items():
            if event.validators is None or event.object_name is None:
                continue
            if (entry := await self._store.find(event.object_name)) is not None:
                found[name] = KeptAnswer(entry, event.charset, event.validators)
        return found

    async def _last_events(self, job: Job) -> list[InputKept]:
        """Return the events of the last run that kept inputs, and of runs shortly before it, in their order."""
        subject = f"runs.{job_token(job.job_name)}.{InputKept.name}"
        stored: list[StoredEvent] = []
        async for batch in self._log.replay([subject], last_per_subject=True):
            stored += batch
        if stored and job.more_sources:
            since, stored = stored[-1].time - _EVENTS_OF_RUN, []
            async for batch in self._log.replay([subject], since=since):
                stored += batch
        events = (readable(one, "conditional_requests") for one in stored)
        return [event for event in events if isinstance(event, InputKept)]


def may_be_conditional(source: DataSource) -> bool:
    """Return whether one GET request returns all data of a source, and none of its headers makes the request conditional or partial."""
    return (
        source.source_type == "api"
        and source.method == "GET"
        and source.pagination is None
        and _CONDITIONS.isdisjoint(name.lower() for name in source.headers or {})
    )


def _usable(value: str | None) -> str | None:
    return value if value and len(value) <= MAX_VALIDATOR_CHARS and is_header_value(value) else None


def _is_settled(modified: str, date: str | None) -> bool:
    """Return whether a Last-Modified is old enough to tell every later change."""
    try:
        return parsedate_to_datetime(date or "") - parsedate_to_datetime(modified) >= _CLOCK_TICK
    except (ValueError, TypeError, OverflowError):
        return False
