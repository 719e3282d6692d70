"""Reads single events and pages of events from the log itself.

A page is one request that the broker answers with a stream of messages (batched direct get, NATS ADR-31): no
consumer is made for it.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic_core import from_json, to_json

from nightmail_common.broker.stored_messages import from_direct_get
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.envelope import StoredEvent, iso_time
from nightmail_common.contract.events import EVENTS, ResultReady
from nightmail_common.contract.limits import (
    MAX_EVENTS_ANSWER_BYTES,
    MAX_EVENTS_BATCH_BYTES,
    MAX_EVENTS_SCANNED,
    MAX_EVENTS_WINDOW,
)
from nightmail_common.contract.subjects import job_token

DIRECT_GET = f"$JS.API.DIRECT.GET.{STREAM}"
TIMEOUT_SECONDS = 5.0
#: How many single events are asked for at once: each waits for its answer.
MAX_AT_ONCE = 16
#: How much further each window of a page backwards looks than the one before: four find a rare event in 30,000.
MORE_SEQUENCES = 8


class EventQueries:
    """Queries of the log itself. Any method raises `nats.errors.Error` if the log does not answer."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def event(self, sequence: int) -> StoredEvent | None:
        """Return one event; None if the log no longer has it."""
        wanted = json.dumps({"seq": sequence}).encode()
        reply = await self._client.request(DIRECT_GET, wanted, timeout=TIMEOUT_SECONDS)
        return None if _status(reply) is not None else from_direct_get(reply)

    async def page(self, subjects: str, after: int, limit: int, *, with_results: bool) -> list[bytes]:
        """Return the next events on subjects (one filter) after a sequence as JSON, oldest first.

        An answer of `MAX_EVENTS_ANSWER_BYTES` ends before `limit`.
        """
        encoded: list[bytes] = []
        size = 0
        more = True
        while more and len(encoded) < limit:
            answered, more = await self.batch(subjects, after + 1, limit - len(encoded))
            for event in answered:
                encoded.append(event_json(event, with_results=with_results))
                size += len(encoded[-1])
                if size >= MAX_EVENTS_ANSWER_BYTES:
                    return encoded
            after = answered[-1].sequence if answered else after
        return encoded

    async def page_before(
        self, subjects: str, before: int, limit: int, *, with_results: bool, known: int | None
    ) -> tuple[list[bytes], int | None]:
        """Return the last events on subjects before a sequence as JSON, newest first, and the `before` of the next page.

        The broker reads forwards only, so windows of the log are read from the last one back, each larger than the one
        before. A page ends early after `MAX_EVENTS_SCANNED` sequences or `MAX_EVENTS_ANSWER_BYTES`; the next `before` is
        None at the beginning of the log.

        Args:
            known: where an event on the subjects is, from which on there are about `limit`: the first window begins there.
        """
        encoded: list[bytes] = []
        size, end, window = 0, before, limit if known is None else max(limit, before - known)
        stop = max(1, before - MAX_EVENTS_SCANNED)
        while end > stop:
            start = max(stop, end - window)
            events = await self._window(subjects, start, end)
            if events is None:  # the matching events are denser here than in the windows before
                window = max(window // MORE_SEQUENCES, limit)
                continue
            for event in reversed(events):
                encoded.append(event_json(event, with_results=with_results))
                size += len(encoded[-1])
                if len(encoded) == limit or size >= MAX_EVENTS_ANSWER_BYTES:
                    return encoded, event.sequence if event.sequence > 1 else None
            end, window = start, MORE_SEQUENCES * window
        return encoded, end if end > 1 else None

    async def _window(self, subjects: str, start: int, end: int) -> list[StoredEvent] | None:
        """Return the events on subjects from a sequence up to, and without, another one, in order.

        None if they are more than `MAX_EVENTS_WINDOW`: then the last ones are sought in a smaller window.
        """
        events: list[StoredEvent] = []
        more = True
        while more and start < end:
            answered, more = await self.batch(subjects, start, min(end - start, MAX_EVENTS_WINDOW))
            events += [event for event in answered if event.sequence < end]
            start = answered[-1].sequence + 1 if answered else end
            if len(events) > MAX_EVENTS_WINDOW:
                return None
        return events

    async def page_of(self, sequences: Sequence[int], *, with_results: bool) -> tuple[list[bytes], int]:
        """Return the events at these sequences that the log still has, as `page` does, and how many sequences were read."""
        encoded: list[bytes] = []
        size = count = 0
        for start in range(0, len(sequences), MAX_AT_ONCE):
            for event in await asyncio.gather(*map(self.event, sequences[start : start + MAX_AT_ONCE])):
                count += 1
                if event is None:
                    continue
                encoded.append(event_json(event, with_results=with_results))
                size += len(encoded[-1])
                if size >= MAX_EVENTS_ANSWER_BYTES:
                    return encoded, count
        return encoded, count

    async def batch(self, subjects: str, start: int, limit: int) -> tuple[list[StoredEvent], bool]:
        """Return the events on subjects (one filter) of one request, from a sequence on, and whether more follow."""
        inbox = self._client.new_inbox()
        answer = _Answer()
        # The request bounds the number of replies, so the limits of the client are not needed.
        replies = await self._client.subscribe(inbox, cb=answer.take, pending_msgs_limit=-1, pending_bytes_limit=-1)
        try:
            wanted = {"seq": start, "batch": limit, "next_by_subj": subjects, "max_bytes": MAX_EVENTS_BATCH_BYTES}
            await self._client.publish(DIRECT_GET, json.dumps(wanted).encode(), reply=inbox)
            return await answer.whole()
        finally:
            await replies.unsubscribe()


class _Answer:
    """The replies to one request: events, then a status. A callback takes them: to await each one takes twice as long."""

    def __init__(self) -> None:
        self._events: list[StoredEvent] = []
        self._end: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()

    async def take(self, reply: Msg) -> None:
        if _status(reply) is None:
            self._events.append(from_direct_get(reply))
        elif not self._end.done():
            self._end.set_result(reply)

    async def whole(self) -> tuple[list[StoredEvent], bool]:
        """Return the events, and whether there are more.

        Raises:
            nats.errors.Error: the log does not answer, or answers with an error.
        """
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                end = await self._end
        except TimeoutError:
            raise nats.errors.TimeoutError from None
        status = _status(end)
        if status not in {"204", "404"}:
            raise nats.errors.Error(f"the log answered {status}")
        # The broker also bounds an answer by bytes: `Nats-Num-Pending` is the number of messages that follow.
        pending = int((end.headers or {}).get("Nats-Num-Pending", "0"))
        return self._events, status == "204" and bool(self._events) and pending > 0


def subject_filter(job_name: str | None, event_type: str | None) -> str:
    """Return the one subject filter for a job's events, a type of events, both or neither."""
    if job_name is None and event_type is None:
        # The broker compares and counts nothing for the whole stream.
        return ">"
    family = "*" if event_type not in EVENTS else EVENTS[event_type].family
    return f"{family}.{'*' if job_name is None else job_token(job_name)}.{event_type or '*'}"


def event_json(stored: StoredEvent, *, with_results: bool = True) -> bytes:
    """Return an event in the shape of `GET /events`, with the body as stored.

    A body that is not JSON becomes `null`, and a subject that holds no name is the name itself.

    Args:
        with_results: whether the bytes of inline results stay in the body; otherwise they are `null`.
    """
    body = _body_of(stored)
    data = stored.data if body is not None else b"null"
    if not with_results and stored.name == ResultReady.name and _drop_inline(body):
        data = to_json(body)
    run_id = _run_id_in(body)
    return (
        (
            f'{{"seq":{stored.sequence},"time":"{iso_time(stored.time)}","type":{_quoted(stored.name)}'
            f',"job_name":{_quoted(stored.job_name)},"run_id":{"null" if run_id is None else _quoted(run_id)}'
            f',"source":{_quoted(stored.source)},"data":'
        ).encode()
        + data
        + b"}"
    )


def _drop_inline(body: Any) -> bool:
    """Replace the `data` of every blob in a body by None; return whether there was any."""
    children = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    dropped = sum(map(_drop_inline, children)) > 0
    if isinstance(body, dict) and "sha256" in body and isinstance(body.get("data"), str):
        body["data"] = None
        return True
    return dropped


def run_id_of(stored: StoredEvent) -> str | None:
    """Return the run that an event is about; None if it is about none."""
    return _run_id_in(_body_of(stored))


def _body_of(stored: StoredEvent) -> Any:
    """Return the parsed body; None if it is not JSON (RFC 8259: NaN and Infinity are not)."""
    try:
        return from_json(stored.data, allow_inf_nan=False)
    except ValueError:
        return None


def _run_id_in(body: Any) -> str | None:
    run_id = body.get("run_id") if isinstance(body, dict) else None
    return run_id if isinstance(run_id, str) else None


_quoted = json.JSONEncoder(ensure_ascii=False).encode


def _status(reply: Msg) -> str | None:
    return (reply.headers or {}).get("Status")
