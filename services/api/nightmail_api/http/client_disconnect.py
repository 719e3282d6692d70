"""Work that ends when the client closes its connection."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

T = TypeVar("T")


async def run_while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of work; cancel it when the client goes away.

    Raises:
        ClientDisconnect: the client went away; there is nobody to answer.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.wait({working, leaving})


async def _disconnected(request: Request) -> None:
    """Return when the connection is closed. The body was read, so no other message comes."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
