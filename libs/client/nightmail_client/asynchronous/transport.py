"""HTTP: one request, the pages of a list, and the stream of events."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar, cast

import httpx

from nightmail_client.errors import CannotReach, error_of
from nightmail_client.records import EventRecord
from nightmail_client.requests import PAGE, without_none

#: The API sends a comment every 15 seconds, so that a silent stream is a lost one.
SILENCE_SECONDS = 60.0

R = TypeVar("R")


class AsyncTransport:
    """Sends requests with a token."""

    def __init__(self, url: str, token: str, timeout_seconds: float) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=timeout_seconds
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request, and return its response; an error response is raised."""
        answer = await self.try_send(method, path, **request)
        if answer.is_error:
            raise error_of(answer)
        return answer

    async def try_send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request, and return its response, which may be an error response."""
        try:
            return await self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise CannotReach(f"cannot reach the API at {self.url}: {error}") from error

    async def json(self, kind: type[R], method: str, path: str, **request: Any) -> R:  # noqa: ARG002 (for type checkers)
        """Return the JSON of a response, which has this type; an error response is raised."""
        return cast("R", (await self.send(method, path, **request)).json())

    async def pages(
        self,
        kind: type[R],  # noqa: ARG002 (for type checkers)
        path: str,
        limit: int | None,
        **query: str | None,
    ) -> AsyncIterator[R]:
        """Yield at most `limit` items of a paginated list, which have this type; None: all."""
        cursor: str | None = None
        remaining = limit
        while remaining is None or remaining > 0:
            size = PAGE if remaining is None else min(remaining, PAGE)
            page = (await self.send("GET", path, params=without_none(**query, cursor=cursor, limit=size))).json()
            for item in page["items"]:
                yield item
            if remaining is not None:
                remaining -= len(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def stream(self, query: Mapping[str, str], headers: Mapping[str, str]) -> AsyncIterator[EventRecord]:
        """Yield the events of one connection until it is lost (Server-Sent Events, HTML Living Standard 9.2)."""
        try:
            async with self._http.stream(
                "GET", "/events/stream", params=query, headers=headers, timeout=SILENCE_SECONDS
            ) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise error_of(answer)
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        yield cast("EventRecord", json.loads(line.removeprefix("data:")))
        except httpx.ConnectError as error:
            raise CannotReach(f"cannot reach the API at {self.url}: {error}") from error
        except httpx.TransportError:  # the API was restarted, or the network has changed
            return


class AsyncCalls:
    """The calls about one kind of thing."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
