"""Reads single events and pages of events from the log itself.

A page is one request that the broker answers with a stream of messages (batched direct get, NATS ADR-31): no
consumer is made for it.
"""

import asyncio
import json
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic_core import from_json

from nightmail_common.broker.stored_messages import from_direct_get
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.envelope import StoredEvent, iso_time
from nightmail_common.contract.events import EVENTS
from nightmail_common.contract.subjects import job_token

DIRECT_GET = f"$JS.API.DIRECT.GET.{STREAM}"
TIMEOUT_SECONDS = 5.0


class EventQueries:
    """Queries of the log itself, by sequence and by subject."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def event(self, sequence: int) -> StoredEvent | None:
        """Return one event; None if the log no longer has it.

        Raises:
            nats.errors.Error: the log does not answer.
        """
        wanted = json.dumps({"seq": sequence}).encode()
        reply = await self._client.request(DIRECT_GET, wanted, timeout=TIMEOUT_SECONDS)
        return None if _status(reply) is not None else from_direct_get(reply)

    async def page(self, subjects: str, after: int, limit: int) -> list[StoredEvent]:
        """Return the next events on subjects (one filter) after a sequence, oldest first.

        Raises:
            nats.errors.Error: the log does not answer.
        """
        events: list[StoredEvent] = []
        more = True
        while more and len(events) < limit:
            answered, more = await self._batch(subjects, after + 1, limit - len(events))
            events += answered
            after = answered[-1].sequence if answered else after
        return events

    async def _batch(self, subjects: str, start: int, limit: int) -> tuple[list[StoredEvent], bool]:
        """Return the events of one request, and whether more follow."""
        inbox = self._client.new_inbox()
        answer = _Answer()
        # The request bounds the number of replies, so the limits of the client are not needed.
        replies = await self._client.subscribe(inbox, cb=answer.take, pending_msgs_limit=-1, pending_bytes_limit=-1)
        try:
            wanted = {"seq": start, "batch": limit, "next_by_subj": subjects}
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


def event_json(stored: StoredEvent) -> bytes:
    """Return an event in the shape of `GET /events`, with the body as stored.

    A body that is not JSON becomes `null`, and a subject that holds no name is the name itself.
    """
    body = _body_of(stored)
    run_id = _run_id_in(body)
    return (
        (
            f'{{"seq":{stored.sequence},"time":"{iso_time(stored.time)}","type":{_quoted(stored.name)}'
            f',"job_name":{_quoted(_job_name_of(stored))},"run_id":{"null" if run_id is None else _quoted(run_id)}'
            f',"source":{_quoted(stored.source)},"data":'
        ).encode()
        + (b"null" if body is None else stored.data)
        + b"}"
    )


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


def _job_name_of(stored: StoredEvent) -> str:
    try:
        return stored.job_name
    except UnicodeDecodeError:
        return stored.subject.split(".")[1]


_quoted = json.JSONEncoder(ensure_ascii=False).encode


def _status(reply: Msg) -> str | None:
    return (reply.headers or {}).get("Status")
