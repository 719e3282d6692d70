"""Events: the log, as it is stored and as it grows."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

from nightmail_client.asynchronous.transport import AsyncCalls
from nightmail_client.records import EventRecord
from nightmail_client.requests import PAGE, without_none

#: The wait before a lost stream is opened again.
RECONNECT_SECONDS = 1.0
#: The largest that the API takes.
LAST_SEQUENCE = 2**62


class AsyncEventCalls(AsyncCalls):
    """The calls about the log."""

    async def list(
        self,
        *,
        job_name: str | None = None,
        run_id: str | None = None,
        event_type: str | None = None,
        after: int = 0,
    ) -> AsyncIterator[EventRecord]:
        """Yield the events of the log that are stored now, the oldest first.

        Args:
            after: the sequence after which to begin.
        """
        while True:
            query = without_none(job_name=job_name, run_id=run_id, type=event_type, after=after, limit=PAGE)
            items = (await self._transport.send("GET", "/events", params=query)).json()["items"]
            for event in items:
                yield cast("EventRecord", event)
            if not items:
                return
            after = items[-1]["seq"]

    async def backwards(
        self,
        *,
        before: int | None = None,
        job_name: str | None = None,
        event_type: str | None = None,
        actor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[EventRecord]:
        """Yield the events of the log from the newest back, at most `limit`.

        Args:
            before: the sequence before which to begin; None: the end of the log.
            actor: only what this token or user caused.
        """
        at: int | None = LAST_SEQUENCE if before is None else before
        remaining = limit
        while at is not None and (remaining is None or remaining > 0):
            size = PAGE if remaining is None else min(remaining, PAGE)
            query = without_none(before=at, job_name=job_name, type=event_type, actor=actor, limit=size)
            page = (await self._transport.send("GET", "/events", params=query)).json()
            for event in page["items"]:
                yield cast("EventRecord", event)
            if remaining is not None:
                remaining -= len(page["items"])
            at = page["next_before"]

    async def follow(
        self, *, job_name: str | None = None, run_id: str | None = None, after: int | None = None
    ) -> AsyncIterator[EventRecord]:
        """Yield events as they are stored, without end; a lost stream is resumed after its last event.

        Args:
            after: the sequence after which to begin; None: now.
        """
        query = without_none(job_name=job_name, run_id=run_id, after=after)
        last: dict[str, str] = {}
        while True:
            async for event in self._transport.stream(query, last):
                last = {"Last-Event-ID": str(event["seq"])}
                yield event
            await asyncio.sleep(RECONNECT_SECONDS)
