"""Work that ends when the client closes its connection."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from nightmail_common.broker.patches import Interrupted, run_until

T = TypeVar("T")


async def run_while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of work; cancel it when the client goes away.

    Raises:
        ClientDisconnect: the client went away; there is nobody to answer.
    """
    try:
        return await run_until(_disconnected(request), work)
    except Interrupted:
        raise ClientDisconnect from None


async def _disconnected(request: Request) -> None:
    """Return when the connection is closed. The body was read, so no other message comes."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
