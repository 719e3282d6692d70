"""An ordered consumer (NATS ADR-17): reads the log in order, across reconnects and restarts of the broker."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, Header

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.broker.repeated_lines import RepeatedLines
from nightmail_common.broker.stored_messages import AckSubject, from_consumer
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.subjects import ALL_EVENTS

#: A batch of this size is a few milliseconds of work for a reader.
FETCH_BATCH = 500
#: How long a fetch waits for a message; the next fetch fails if the consumer is gone.
IDLE_TIMEOUT_SECONDS = 2.0
#: The broker ends a fetch itself; an answer that is later than this is lost.
ANSWER_SECONDS = 1.0
#: A cluster without a leader creates no consumer and does not answer: ask again soon, the leader may be elected.
CONSUMER_TIMEOUT_SECONDS = 1.0
#: From an error to the next consumer.
RESTART_SECONDS = 0.2
#: Consumers expire after this idle time, because readers have no permission to delete them. A reader fetches every
#: IDLE_TIMEOUT_SECONDS, and ANSWER_SECONDS later when an answer is lost.
READER_INACTIVE_SECONDS = 5.0

logger = structlog.get_logger()


class OrderedConsumer:
    """Reads the log through an ephemeral pull consumer without acks, and creates a new one after an error.

    Without acks a message that is lost with a connection is not sent again. So the consumer sequence must have no gap,
    and a consumer does not outlive its connection; otherwise a new consumer starts behind the last yielded event.
    """

    def __init__(
        self,
        client: Client,
        subjects: Sequence[str],
        after: int,
        since: datetime | None,
        last_per_subject: bool,
        headers_only: bool,
        fetch_batch: int = FETCH_BATCH,
    ) -> None:
        self._client = client
        self._js = client.jetstream(timeout=CONSUMER_TIMEOUT_SECONDS)
        self._subjects = list(subjects)
        self._after = after
        self._since = since
        self._last_per_subject = last_per_subject
        self._headers_only = headers_only
        self._fetch_batch = fetch_batch
        self._read_all = False
        self._lines = RepeatedLines()

    async def batches(self, *, end_when_idle: bool) -> AsyncIterator[list[StoredEvent]]:
        while True:
            raise_if_cancelled()
            try:
                async for batch in self._consume(end_when_idle):
                    # A new consumer with LAST_PER_SUBJECT starts with the first subject again.
                    unread = [event for event in batch if event.sequence > self._after]
                    if unread:
                        self._after = unread[-1].sequence
                        yield unread
                if self._read_all:
                    return
            except BROKER_ERRORS as error:
                if self._lines.is_due(text := describe_error(error)):
                    logger.warning("ordered_consumer_restarted", after=self._after, error=text)
                await asyncio.sleep(RESTART_SECONDS)
                while self._client.is_reconnecting:  # noqa: ASYNC110 (nats-py has no event for it)
                    await asyncio.sleep(RESTART_SECONDS)

    async def _consume(self, end_when_idle: bool) -> AsyncIterator[list[StoredEvent]]:
        reconnects = self._client.stats["reconnects"]
        info = await self._js.add_consumer(STREAM, self._config())
        pull = _Pull(self._client, info.name)
        await pull.open()
        delivered = 0
        pending = info.num_pending or 0
        try:
            while not (end_when_idle and pending == 0):
                # A fetch of one message returns at once; a fetch of many waits until it is full or expires.
                messages = await pull.fetch(1 if pending < 2 else min(pending, self._fetch_batch))
                raise_if_cancelled()
                if self._client.stats["reconnects"] != reconnects:
                    return
                if not messages:
                    if pending:  # the pending messages were purged or expired, or the answer is lost
                        raise nats.errors.TimeoutError
                    continue
                acks = [AckSubject.of(message) for message in messages]
                positions = [ack.consumer_sequence for ack in acks]
                if positions != list(range(delivered + 1, delivered + len(messages) + 1)):
                    return
                delivered, pending = positions[-1], acks[-1].pending
                yield [from_consumer(message, ack) for message, ack in zip(messages, acks, strict=True)]
            self._read_all = True
        finally:
            with suppress(*BROKER_ERRORS):
                await pull.close()

    def _config(self) -> ConsumerConfig:
        start: dict[str, Any]
        if self._last_per_subject:
            start = {"deliver_policy": DeliverPolicy.LAST_PER_SUBJECT}
        elif self._since is not None and self._after == 0:
            start = {"deliver_policy": DeliverPolicy.BY_START_TIME, "opt_start_time": self._since}
        else:
            start = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": self._after + 1}
        filters: dict[str, Any]
        if tuple(self._subjects) == ALL_EVENTS and not self._last_per_subject:
            # Without a filter the broker reads three times as fast.
            filters = {}
        elif len(self._subjects) == 1:
            # A single filter is part of the request's subject, where the broker's permissions apply to it.
            filters = {"filter_subject": self._subjects[0]}
        else:
            filters = {"filter_subjects": self._subjects}
        return ConsumerConfig(
            name=secrets.token_hex(16),  # a client that guessed the name could fetch from it
            **filters,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=READER_INACTIVE_SECONDS,
            mem_storage=True,
            num_replicas=1,
            headers_only=self._headers_only or None,
            **start,
        )


class _Pull:
    """Fetches from one consumer. nats-py's `fetch` creates a task and a timer per message: most of the time of a replay."""

    def __init__(self, client: Client, consumer: str) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}"
        self._inbox = client.new_inbox()
        self._messages: list[Msg] = []
        self._wanted = 0
        self._status: Msg | None = None
        self._done = asyncio.Event()

    async def open(self) -> None:
        # No limit of pending messages: a fetch asks for at most FETCH_BATCH.
        self._subscription = await self._client.subscribe(
            self._inbox, cb=self._take, pending_msgs_limit=-1, pending_bytes_limit=-1
        )

    async def close(self) -> None:
        await self._subscription.unsubscribe()

    async def fetch(self, batch: int) -> list[Msg]:
        """Return up to `batch` messages: those that came in time.

        Raises:
            nats.errors.Error: the consumer does not exist or cannot be reached.
        """
        self._messages, self._wanted, self._status = [], batch, None
        self._done.clear()
        request = {"batch": batch, "expires": int(IDLE_TIMEOUT_SECONDS * 1e9)}
        await self._client.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_TIMEOUT_SECONDS + ANSWER_SECONDS):
                await self._done.wait()
        self._wanted = 0
        if self._status is not None and not self._messages:
            headers = self._status.headers or {}
            if headers.get(Header.STATUS) == "503":
                raise nats.errors.NoRespondersError
            if headers.get(Header.STATUS) not in {"404", "408"}:
                raise nats.errors.Error(f"{headers.get(Header.STATUS)} {headers.get(Header.DESCRIPTION, '')}")
        return self._messages

    async def _take(self, message: Msg) -> None:
        if not message.reply:  # a status has no ack subject
            self._status = message
            self._done.set()
        else:
            self._messages.append(message)
            if len(self._messages) >= self._wanted:
                self._done.set()
