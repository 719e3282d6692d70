"""Events: the log, as it is stored and as it grows."""

import time
from collections.abc import Iterator
from typing import cast

from nightmail_client.blocking.transport import Transport
from nightmail_client.records import EventRecord
from nightmail_client.requests import PAGE, without_none

#: The wait before a lost stream is opened again.
RECONNECT_SECONDS = 1.0


class EventCalls:
    """The calls about the log."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        job_name: str | None = None,
        run_id: str | None = None,
        event_type: str | None = None,
        after: int = 0,
    ) -> Iterator[EventRecord]:
        """Yield the events of the log that are stored now, the oldest first.

        Args:
            after: the sequence after which to begin.
        """
        while True:
            query = without_none(job_name=job_name, run_id=run_id, type=event_type, after=after, limit=PAGE)
            items = (self._transport.send("GET", "/events", params=query)).json()["items"]
            for event in items:
                yield cast("EventRecord", event)
            if not items:
                return
            after = items[-1]["seq"]

    def follow(
        self, *, job_name: str | None = None, run_id: str | None = None, after: int | None = None
    ) -> Iterator[EventRecord]:
        """Yield events as they are stored, without end; a lost stream is resumed after its last event.

        Args:
            after: the sequence after which to begin; None: now.
        """
        query = without_none(job_name=job_name, run_id=run_id, after=after)
        last: dict[str, str] = {}
        while True:
            for event in self._transport.stream(query, last):
                last = {"Last-Event-ID": str(event["seq"])}
                yield event
            time.sleep(RECONNECT_SECONDS)
