"""Answers NATS requests: what a service does for the API at once, without an event in the log.

https://docs.nats.io/nats-concepts/core-nats/reqreply. A request and its answer are JSON objects.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.patches import cancel_until_done
from nightmail_common.contract.errors import describe_error

#: Left free in a message of NATS for its headers.
HEADERS_BYTES = 4096

logger = structlog.get_logger()

Request = dict[str, Any]
Answer = Mapping[str, object]


class Responder:
    """Answers the requests on a subject, each by one member of a queue group. Every request gets an answer.

    An answer is what `answer` returns for the request, or `{"error": text}`: for an error that `answer` raises, for an
    answer that does not fit a message, and for a request beyond `max_requests` at a time (whose text is `busy`).
    """

    def __init__(
        self, subject: str, queue: str, answer: Callable[[Request], Awaitable[Answer]], max_requests: int, busy: str
    ) -> None:
        self._subject = subject
        self._queue = queue
        self._answer = answer
        self._max_requests = max_requests
        self._busy = busy
        self._max_answer_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, client: Client) -> None:
        self._max_answer_bytes = client.max_payload - HEADERS_BYTES
        await client.subscribe(self._subject, self._queue, self._accept)
        await client.flush()  # who sees the service ready finds a responder

    async def stop(self, grace_seconds: float = 0.0) -> None:
        """Wait this long for the requests in progress to end, then cancel them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        await cancel_until_done(self._tasks)

    async def _accept(self, message: Msg) -> None:
        if len(self._tasks) >= self._max_requests:
            await message.respond(json.dumps({"error": self._busy}).encode())
            return
        task = asyncio.create_task(self._respond(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respond(self, message: Msg) -> None:
        try:
            answer = await self._answer(json.loads(message.data))
        except Exception as error:  # the caller waits for an answer
            logger.exception("broker_request_failed", subject=self._subject)
            answer = {"error": describe_error(error)}
        encoded = json.dumps(answer).encode()
        if len(encoded) > self._max_answer_bytes:
            encoded = json.dumps({"error": f"the answer has {len(encoded)} bytes, more than a message"}).encode()
        with suppress(*BROKER_ERRORS):  # nobody waits any more, or the broker is away
            await message.respond(encoded)
