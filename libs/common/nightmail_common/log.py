"""The event log: publish, expect, batch, replay, follow.

What the log itself promises (NATS JetStream): one total order (the stream sequence), no message id stored twice
within an hour, no event stored whose expectation does not hold, and a batch is stored whole or not at all.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, Header, RawStreamMsg
from nats.js.errors import APIError, NotFoundError
from nats.nuid import NUID

from nightmail_common.envelope import TRACEPARENT, StoredEvent, event_headers
from nightmail_common.events import Event
from nightmail_common.streams import STREAM
from nightmail_common.subjects import ALL_EVENTS, subject_of

#: JetStream's own limit (ADR-50).
MAX_BATCH = 1000
#: A read of this size is a few milliseconds of work for a reader of the log.
FETCH_BATCH = 500
#: How long a reader waits before it looks whether its consumer still exists.
IDLE_TIMEOUT_SECONDS = 2.0
#: A reader's consumer goes by itself when its reader has been gone for so long.
READER_INACTIVE_SECONDS = 60.0
PUBLISH_TIMEOUT_SECONDS = 5.0

_WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
_BATCH_REFUSED = range(10174, 10212)

logger = structlog.get_logger()


class WrongLastSequence(Exception):
    """Somebody else's event on these subjects came first; read again and decide anew."""


class BatchRefused(Exception):
    """Nothing of the batch was stored: it holds an event that is stored already, or an expectation failed."""


@dataclass(frozen=True)
class Expectation:
    """The event is stored only if the last one on `subjects` (a filter) has this sequence; 0 means there is none."""

    subjects: str
    last_sequence: int


@dataclass(frozen=True)
class Publication:
    """An event to store. An event whose `message_id` the log holds already is not stored again."""

    event: Event
    message_id: str | None = None
    expectation: Expectation | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it goes over the wire, for who makes thousands of them at once (see `EventLog.headers_of`)."""

    subject: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Stored:
    """Where an event is in the log. `duplicate`: it was there before, under the same message id."""

    sequence: int
    duplicate: bool


class EventLog:
    """The log as one service sees it.

    Args:
        client: a connection; it stays the caller's.
        source: the service's name, the `ce-source` of what it publishes.
        run_retention: how long the events of runs are kept (their `Nats-TTL`).
    """

    def __init__(self, client: Client, source: str, run_retention: timedelta) -> None:
        self._client = client
        self._js: JetStreamContext = client.jetstream(timeout=PUBLISH_TIMEOUT_SECONDS)
        self._source = source
        self._run_ttl = f"{int(run_retention.total_seconds())}s"
        self._batch_ids = NUID()

    async def publish(
        self,
        event: Event,
        *,
        message_id: str | None = None,
        expectation: Expectation | None = None,
        traceparent: str | None = None,
    ) -> Stored:
        """Store one event and return where; when this returns, the event is durable.

        Raises:
            WrongLastSequence: the expectation does not hold; nothing is stored.
            nats.errors.Error: the log did not answer; the event may be stored or not.
        """
        return await self.publish_message(self._message(Publication(event, message_id, expectation, traceparent)))

    async def publish_message(self, message: Message) -> Stored:
        """Store one event as `publish` does, with the same errors."""
        try:
            ack = await self._js.publish(message.subject, message.body, headers=dict(message.headers), stream=STREAM)
        except APIError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                raise WrongLastSequence(str(error.description)) from error
            raise
        return Stored(ack.seq, bool(ack.duplicate))

    async def publish_batch(self, publications: Sequence[Publication | Message]) -> int:
        """Store up to 1,000 events at once, all or none, in order (NATS ADR-50).

        Returns:
            The sequence of the last one; the others stand right before it.

        Raises:
            BatchRefused: nothing is stored: one of them is in the log already, or an expectation does not hold.
            nats.errors.Error: the log did not answer; the batch may be stored or not.
        """
        if not 1 <= len(publications) <= MAX_BATCH:
            raise ValueError(f"a batch has 1 to {MAX_BATCH} events, this one has {len(publications)}")
        batch_id = self._batch_ids.next().decode()
        for number, publication in enumerate(publications, start=1):
            message = self._message(publication) if isinstance(publication, Publication) else publication
            headers = {
                **message.headers,
                Header.BATCH_ID.value: batch_id,
                Header.BATCH_SEQUENCE.value: str(number),
            }
            if number < len(publications):
                await self._client.publish(message.subject, message.body, headers=headers)
        headers[Header.BATCH_COMMIT.value] = "1"
        reply = await self._client.request(
            message.subject, message.body, timeout=PUBLISH_TIMEOUT_SECONDS, headers=headers
        )
        return _committed(reply)

    async def last_sequence(self) -> int:
        """Return the sequence of the last event; 0 if the log is empty."""
        info = await self._js.stream_info(STREAM)
        return info.state.last_seq

    async def last_event(self, subjects: str) -> StoredEvent | None:
        """Return the last event on subjects (a filter), or None if there is none."""
        with suppress(NotFoundError):
            return _from_raw(await self._js.get_msg(STREAM, subject=subjects))
        return None

    async def replay(
        self,
        subjects: Sequence[str] = ALL_EVENTS,
        *,
        after: int = 0,
        since: datetime | None = None,
        last_per_subject: bool = False,
        headers_only: bool = False,
    ) -> AsyncIterator[list[StoredEvent]]:
        """Yield what the log holds now, in order, in batches; end when it has all been read.

        Args:
            subjects: filters; an event comes if any of them fits.
            after: the sequence to start behind.
            since: the time to start at, instead of a sequence.
            last_per_subject: only the last event of each subject (`after` and `since` are not used).
            headers_only: the events come without their data.
        """
        until = await self.last_sequence()
        if until <= after:
            return
        reader = _Reader(self._client, self._js, subjects, after, since, last_per_subject, headers_only)
        async for batch in reader.batches(end_when_idle=True):
            yield [event for event in batch if event.sequence <= until]
            if batch[-1].sequence >= until:
                return

    async def follow(
        self, subjects: Sequence[str] = ALL_EVENTS, *, after: int = 0, headers_only: bool = False
    ) -> AsyncGenerator[list[StoredEvent], None]:
        """Yield every event behind a sequence, in order, in batches, and for ever what comes; each exactly once.

        Survives reconnects and restarts of the broker: it reads on where it was.
        """
        reader = _Reader(
            self._client, self._js, subjects, after, None, last_per_subject=False, headers_only=headers_only
        )
        async for batch in reader.batches(end_when_idle=False):
            yield batch

    def headers_of(self, event: Event | type[Event]) -> dict[str, str]:
        """Return the headers of a new event of that kind: what `publish` would set, but for what a publication says."""
        headers = event_headers(event, self._source)
        if event.family == "runs":
            headers[Header.MSG_TTL.value] = self._run_ttl
        return headers

    def _message(self, publication: Publication) -> Message:
        event = publication.event
        headers = self.headers_of(event)
        if publication.traceparent is not None:
            headers[TRACEPARENT] = publication.traceparent
        if publication.message_id is not None:
            headers[Header.MSG_ID.value] = publication.message_id
        if publication.expectation is not None:
            headers[Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value] = str(publication.expectation.last_sequence)
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = publication.expectation.subjects
        return Message(subject_of(event), event.model_dump_json(exclude_none=True).encode(), headers)


class _Reader:
    """Reads the log through a short-lived pull consumer without acks, and makes a new one where that breaks.

    Without acks a message that is lost with a connection is not sent again. So each batch must follow on the one
    before (the consumer's own sequence has no hole) and a consumer does not outlive its connection; otherwise
    reading starts again behind the last event that was handed on (the ordered consumer of NATS ADR-17).
    """

    def __init__(
        self,
        client: Client,
        js: JetStreamContext,
        subjects: Sequence[str],
        after: int,
        since: datetime | None,
        last_per_subject: bool,
        headers_only: bool,
    ) -> None:
        self._client = client
        self._js = js
        self._subjects = list(subjects)
        self._after = after
        self._since = since
        self._last_per_subject = last_per_subject
        self._headers_only = headers_only

    async def batches(self, *, end_when_idle: bool) -> AsyncIterator[list[StoredEvent]]:
        while True:
            try:
                async for batch in self._consume(end_when_idle):
                    self._after = batch[-1].sequence
                    yield batch
                if end_when_idle:
                    return
            except (nats.errors.Error, OSError) as error:
                logger.warning("log_reader_restarts", after=self._after, error=str(error) or type(error).__name__)
                await asyncio.sleep(0.2)

    async def _consume(self, end_when_idle: bool) -> AsyncIterator[list[StoredEvent]]:
        reconnects = self._client.stats["reconnects"]
        info = await self._js.add_consumer(STREAM, self._config())
        subscription = await self._js.pull_subscribe_bind(consumer=info.name, stream=STREAM)
        delivered = 0
        pending = info.num_pending or 0
        try:
            while not (end_when_idle and pending == 0):
                # A single fetch returns at once when something comes; one of many would wait to be filled.
                messages = await _fetch(subscription, 1 if pending < 2 else min(pending, FETCH_BATCH))
                if self._client.stats["reconnects"] != reconnects:
                    return
                if not messages:
                    continue
                positions = [message.metadata.sequence.consumer for message in messages]
                if positions != list(range(delivered + 1, delivered + len(messages) + 1)):
                    return
                delivered = positions[-1]
                pending = messages[-1].metadata.num_pending
                yield [_from_message(message) for message in messages]
        finally:
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()
            with suppress(nats.errors.Error):
                await self._js.delete_consumer(STREAM, info.name)

    def _config(self) -> ConsumerConfig:
        start: dict[str, Any]
        if self._last_per_subject:
            start = {"deliver_policy": DeliverPolicy.LAST_PER_SUBJECT}
        elif self._since is not None and self._after == 0:
            start = {"deliver_policy": DeliverPolicy.BY_START_TIME, "opt_start_time": self._since}
        else:
            start = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": self._after + 1}
        return ConsumerConfig(
            filter_subjects=self._subjects,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=READER_INACTIVE_SECONDS,
            mem_storage=True,
            num_replicas=1,
            headers_only=self._headers_only or None,
            **start,
        )


async def _fetch(subscription: JetStreamContext.PullSubscription, batch: int) -> list[Msg]:
    try:
        return await subscription.fetch(batch, timeout=IDLE_TIMEOUT_SECONDS)
    except nats.errors.TimeoutError:
        return []


def _committed(reply: Msg) -> int:
    answer = json.loads(reply.data)
    if (refusal := answer.get("error")) is not None:
        error = APIError(**refusal)
        if error.err_code in _WRONG_LAST_SEQUENCE or error.err_code in _BATCH_REFUSED:
            raise BatchRefused(error.description)
        raise error
    sequence: int = answer["seq"]
    return sequence


def _from_message(message: Msg) -> StoredEvent:
    metadata = message.metadata
    return StoredEvent(
        metadata.sequence.stream, metadata.timestamp, message.subject, message.headers or {}, message.data
    )


def _from_raw(message: RawStreamMsg) -> StoredEvent:
    headers: Mapping[str, str] = message.headers or {}
    assert message.seq is not None
    assert message.subject is not None
    assert message.time is not None
    return StoredEvent(message.seq, message.time, message.subject, headers, message.data or b"")
