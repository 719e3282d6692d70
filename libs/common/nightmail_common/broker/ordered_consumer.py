"""Reading the log in order, through a broker that may go and come back."""

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

from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.broker.stored_messages import AckSubject, from_consumer
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.subjects import ALL_EVENTS

#: A read of this size is a few milliseconds of work for a reader of the log.
FETCH_BATCH = 500
#: How long a reader waits before it looks whether its consumer still exists.
IDLE_TIMEOUT_SECONDS = 2.0
#: The broker ends a fetch itself; an answer that takes longer than that got lost.
ANSWER_SECONDS = 1.0
#: For a consumer: none is made while a cluster has no leader, and to wait long for its answer would be to miss the next.
CONSUMER_TIMEOUT_SECONDS = 1.0
#: After a fault, before it is read on.
RESTART_SECONDS = 0.2
#: A reader's consumer goes by itself when its reader has been gone for so long: to delete one is more than a reader may.
#: A reader that is there asks again each IDLE_TIMEOUT_SECONDS, and ANSWER_SECONDS later where an answer got lost.
READER_INACTIVE_SECONDS = 5.0

logger = structlog.get_logger()


class LogReader:
    """Reads the log through a short-lived pull consumer without acks, and makes a new one where that breaks.

    Without acks a message that is lost with a connection is not sent again. So each batch must follow on the one
    before (the consumer's own sequence has no hole) and a consumer does not outlive its connection; otherwise
    reading starts again behind the last event that was handed on (the ordered consumer of NATS ADR-17).
    """

    def __init__(
        self,
        client: Client,
        subjects: Sequence[str],
        after: int,
        since: datetime | None,
        last_per_subject: bool,
        headers_only: bool,
    ) -> None:
        self._client = client
        self._js = client.jetstream(timeout=CONSUMER_TIMEOUT_SECONDS)
        self._subjects = list(subjects)
        self._after = after
        self._since = since
        self._last_per_subject = last_per_subject
        self._headers_only = headers_only
        self._read_all = False

    async def batches(self, *, end_when_idle: bool) -> AsyncIterator[list[StoredEvent]]:
        while True:
            raise_if_cancelled()
            try:
                async for batch in self._consume(end_when_idle):
                    # A new consumer of the last events begins again with the first of them.
                    unread = [event for event in batch if event.sequence > self._after]
                    if unread:
                        self._after = unread[-1].sequence
                        yield unread
                if self._read_all:
                    return
            except (nats.errors.Error, OSError) as error:
                logger.warning("log_reader_restarts", after=self._after, error=str(error) or type(error).__name__)
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
                # A single fetch returns at once when something comes; one of many would wait to be filled.
                messages = await pull.fetch(1 if pending < 2 else min(pending, FETCH_BATCH))
                raise_if_cancelled()
                if self._client.stats["reconnects"] != reconnects:
                    return
                if not messages:
                    if pending:  # what was to come has been purged or has expired, or the answer got lost
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
            with suppress(nats.errors.Error, OSError):
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
            # All that the stream has: where it need not compare, the broker reads three times as fast.
            filters = {}
        elif len(self._subjects) == 1:
            # A single filter stands in the subject of the request, too, where the broker's permissions can see it.
            filters = {"filter_subject": self._subjects[0]}
        else:
            filters = {"filter_subjects": self._subjects}
        return ConsumerConfig(
            name=secrets.token_hex(16),  # who can guess it could read instead of us
            **filters,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=READER_INACTIVE_SECONDS,
            mem_storage=True,
            num_replicas=1,
            headers_only=self._headers_only or None,
            **start,
        )


class _Pull:
    """Fetches of one consumer. nats-py's own makes a task and a timer per message, which is most of a long replay."""

    def __init__(self, client: Client, consumer: str) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}"
        self._inbox = client.new_inbox()
        self._messages: list[Msg] = []
        self._wanted = 0
        self._status: Msg | None = None
        self._done = asyncio.Event()

    async def open(self) -> None:
        # A fetch asks for no more than FETCH_BATCH; the client's own limits are for who does not ask.
        self._subscription = await self._client.subscribe(
            self._inbox, cb=self._take, pending_msgs_limit=-1, pending_bytes_limit=-1
        )

    async def close(self) -> None:
        await self._subscription.unsubscribe()

    async def fetch(self, batch: int) -> list[Msg]:
        """Return so many messages, or what came in time.

        Raises:
            nats.errors.Error: the consumer is gone, or cannot be reached.
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
            if headers.get(Header.STATUS) not in {"404", "408"}:
                raise nats.errors.Error(f"{headers.get(Header.STATUS)} {headers.get(Header.DESCRIPTION, '')}")
        return self._messages

    async def _take(self, message: Msg) -> None:
        if not message.reply:  # a message of the log has where to ack it; a status has not
            self._status = message
            self._done.set()
        else:
            self._messages.append(message)
            if len(self._messages) >= self._wanted:
                self._done.set()
