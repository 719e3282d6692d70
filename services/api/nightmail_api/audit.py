"""Reads single events and pages of events from the log itself.

A page is one request that the broker answers with a stream of messages (batched direct get, NATS ADR-31): no
consumer is made for it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from nightmail_common.envelope import StoredEvent
from nightmail_common.streams import STREAM
from nightmail_common.subjects import job_token

DIRECT_GET = f"$JS.API.DIRECT.GET.{STREAM}"
TIMEOUT_SECONDS = 5.0


class AuditLog:
    """The log as a list of events."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def event(self, sequence: int) -> StoredEvent | None:
        """Return one event; None if the log has it no longer.

        Raises:
            nats.errors.Error: the log does not answer.
        """
        wanted = json.dumps({"seq": sequence}).encode()
        reply = await self._client.request(DIRECT_GET, wanted, timeout=TIMEOUT_SECONDS)
        return None if _status(reply) is not None else _stored(reply)

    async def page(self, subjects: str, after: int, limit: int) -> list[StoredEvent]:
        """Return the next events on subjects (one filter) behind a sequence, oldest first.

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
        """Return what one request brings, and whether there is more."""
        inbox = self._client.new_inbox()
        replies = await self._client.subscribe(inbox)
        try:
            wanted = {"seq": start, "batch": limit, "next_by_subj": subjects}
            await self._client.publish(DIRECT_GET, json.dumps(wanted).encode(), reply=inbox)
            events: list[StoredEvent] = []
            while True:
                reply = await replies.next_msg(timeout=TIMEOUT_SECONDS)
                status = _status(reply)
                if status is None:
                    events.append(_stored(reply))
                elif status in {"204", "404"}:
                    # Some messages fit one answer (the broker bounds it by bytes): `Nats-Num-Pending` says if more wait.
                    pending = int((reply.headers or {}).get("Nats-Num-Pending", "0"))
                    return events, status == "204" and bool(events) and pending > 0
                else:
                    raise nats.errors.Error(f"the log answered {status}")
        finally:
            await replies.unsubscribe()


def subject_filter(job_name: str | None, event_type: str | None) -> str:
    """Return the one subject filter for a job's events, a type of events, both or neither."""
    token = "*" if job_name is None else job_token(job_name)
    return f"*.{token}.{event_type or '*'}"


def event_answer(stored: StoredEvent) -> dict[str, Any]:
    """Return an event in the shape of `GET /events`."""
    data = json.loads(stored.data)
    return {
        "seq": stored.sequence,
        "time": stored.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "type": stored.name,
        "job_name": stored.job_name,
        "run_id": data.get("run_id"),
        "source": stored.source,
        "data": data,
    }


def _status(reply: Msg) -> str | None:
    return (reply.headers or {}).get("Status")


def _stored(reply: Msg) -> StoredEvent:
    headers: Mapping[str, str] = reply.headers or {}
    # Nine digits of a second are more than Python reads.
    whole, _, fraction = headers["Nats-Time-Stamp"].removesuffix("Z").partition(".")
    time = datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")
    return StoredEvent(int(headers["Nats-Sequence"]), time, headers["Nats-Subject"], headers, reply.data)
