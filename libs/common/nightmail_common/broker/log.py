"""The event log: publish, expect, batch, replay, follow.

NATS JetStream guarantees one total order (the stream sequence), stores a message id once within an hour, stores no event
whose expectation does not hold, and stores a batch whole or not at all.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import APIError, NotFoundError

from nightmail_common.broker.batch import MAX_BATCH, Batch, Message
from nightmail_common.broker.metrics import EVENTS_PUBLISHED
from nightmail_common.broker.ordered_consumer import OrderedConsumer
from nightmail_common.broker.readable import readable
from nightmail_common.broker.stored_messages import from_message_get
from nightmail_common.broker.streams import STREAM
from nightmail_common.broker.tracing import TRACEPARENT, current_traceparent
from nightmail_common.contract.envelope import StoredEvent, event_body, event_headers
from nightmail_common.contract.events import Event, RunOutcome, RunSkipped
from nightmail_common.contract.subjects import ALL_EVENTS, subject_of

PUBLISH_TIMEOUT_SECONDS = 5.0
#: The broker refuses a request for a larger sequence, or a negative one (an unsigned number of 64 bits).
MAX_SEQUENCE = 2**64

_WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
_BATCH_REFUSED = range(10174, 10212)


class WrongLastSequence(Exception):
    """Another event on these subjects was stored first; read again, and decide on the new state."""


class BatchRefused(Exception):
    """Nothing of the batch was stored: one of its message ids is in the log, or an expectation failed."""


@dataclass(frozen=True)
class Expectation:
    """The event is stored only if the last one on `subjects` (a filter) has this sequence; 0 means there is none."""

    subjects: str
    last_sequence: int


@dataclass(frozen=True)
class Publication:
    """An event to store. If the log has its `message_id`, it is not stored again."""

    event: Event
    message_id: str | None = None
    expectation: Expectation | None = None
    traceparent: str | None = None


@dataclass(frozen=True)
class Stored:
    """Where an event is in the log. `duplicate`: the log had its message id before."""

    sequence: int
    duplicate: bool


class EventLog:
    """Publishes and reads events as one service.

    Args:
        client: the connection; the caller closes it.
        source: the service's name, the `ce-source` of what it publishes.
        run_retention: how long the events of runs are kept (their `Nats-TTL`).
    """

    def __init__(self, client: Client, source: str, run_retention: timedelta) -> None:
        self._client = client
        self._js: JetStreamContext = client.jetstream(timeout=PUBLISH_TIMEOUT_SECONDS)
        self._source = source
        self.run_retention = run_retention
        self._run_ttl = f"{int(run_retention.total_seconds())}s"

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
        EVENTS_PUBLISHED.inc()
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
        batch = Batch()
        for publication in publications:
            batch.add(self._message(publication) if isinstance(publication, Publication) else publication)
        return await self.send(batch)

    async def send(self, batch: Batch) -> int:
        """Store a prepared batch as `publish_batch` does, with the same errors.

        The frames go through the client's write buffer, which keeps the order and has no public name. They are not
        buffered while disconnected: the batch would be stored late.
        """
        if self._client.is_closed:
            raise nats.errors.ConnectionClosedError
        if not self._client.is_connected:
            raise nats.errors.ConnectionReconnectingError
        commit = batch.commit()
        if len(batch) > 1:
            await self._client._send_command(batch.frames())  # noqa: SLF001 (see above)
        reply = await self._client.request(
            commit.subject, commit.body, timeout=PUBLISH_TIMEOUT_SECONDS, headers=dict(commit.headers)
        )
        last_sequence = _committed(reply)
        EVENTS_PUBLISHED.inc(len(batch))
        return last_sequence

    async def last_sequence(self) -> int:
        """Return the sequence of the last event; 0 if the log is empty."""
        info = await self._js.stream_info(STREAM)
        return info.state.last_seq

    async def has_events(self, subjects: str) -> bool:
        """Return whether an event on subjects (a filter) is in the log."""
        info = await self._js.stream_info(STREAM, subjects_filter=subjects)
        return bool(info.state.subjects)

    async def last_event(self, subjects: str) -> StoredEvent | None:
        """Return the last event on subjects (a filter), or None if there is none."""
        with suppress(NotFoundError):
            return from_message_get(await self._js.get_msg(STREAM, subject=subjects))
        return None

    async def outcome(self, sequence: int) -> RunOutcome | RunSkipped | None:
        """Return the outcome of a run at this sequence, or None if it has expired, was erased or is another event.

        Raises:
            nats.errors.Error: the log did not answer.
        """
        event = None
        if not 0 < sequence < MAX_SEQUENCE:
            return None
        with suppress(NotFoundError):
            event = readable(from_message_get(await self._js.get_msg(STREAM, sequence)), "outcome")
        return event if isinstance(event, RunOutcome | RunSkipped) else None

    async def first_event(self, subject: str, after: int) -> StoredEvent | None:
        """Return the first event on a subject (a filter) behind a sequence; None if the log has none now."""
        one_by_one = OrderedConsumer(self._client, [subject], after, None, False, False, fetch_batch=1)
        async for [event] in one_by_one.batches(end_when_idle=True):
            return event
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
        """Yield the events that the log holds now, in order, in batches, and end.

        Args:
            subjects: filters; an event is read if any of them matches.
            after: the sequence to start behind.
            since: the time to start at, instead of a sequence.
            last_per_subject: only the last event of each subject (`after` and `since` are not used); a subject that gets
                another event during the replay is yielded with the newer one, or with both.
            headers_only: read the events without their data.
        """
        until = await self.last_sequence()
        if until <= after:
            return
        reader = OrderedConsumer(self._client, subjects, after, since, last_per_subject, headers_only)
        async for batch in reader.batches(end_when_idle=True):
            if last_per_subject:
                # The last event of a subject may be stored after `until`, and replace an earlier one.
                yield batch
                continue
            yield [event for event in batch if event.sequence <= until]
            if batch[-1].sequence >= until:
                return

    async def follow(
        self, subjects: Sequence[str] = ALL_EVENTS, *, after: int = 0, headers_only: bool = False
    ) -> AsyncGenerator[list[StoredEvent], None]:
        """Yield every event behind a sequence, old ones and new ones for ever, in order, in batches, each exactly once.

        Reading resumes at its position after a reconnect or a restart of the broker.
        """
        reader = OrderedConsumer(self._client, subjects, after, None, last_per_subject=False, headers_only=headers_only)
        async for batch in reader.batches(end_when_idle=False):
            yield batch

    def headers_of(self, event: Event | type[Event]) -> dict[str, str]:
        """Return the headers of a new event, without those of a `Publication`."""
        headers = event_headers(event, self._source)
        if event.family == "runs":
            headers[Header.MSG_TTL.value] = self._run_ttl
        return headers

    def _message(self, publication: Publication) -> Message:
        event = publication.event
        headers = self.headers_of(event)
        if (traceparent := publication.traceparent or current_traceparent.get()) is not None:
            headers[TRACEPARENT] = traceparent
        if publication.message_id is not None:
            headers[Header.MSG_ID.value] = publication.message_id
        if publication.expectation is not None:
            headers[Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value] = str(publication.expectation.last_sequence)
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = publication.expectation.subjects
        return Message(subject_of(event), event_body(event), headers)


def _committed(reply: Msg) -> int:
    answer = json.loads(reply.data)
    if (refusal := answer.get("error")) is not None:
        error = APIError(**refusal)
        if error.err_code in _WRONG_LAST_SEQUENCE or error.err_code in _BATCH_REFUSED:
            raise BatchRefused(error.description)
        raise error
    sequence: int = answer["seq"]
    return sequence
