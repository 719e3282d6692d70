"""Calls of the REST API on behalf of an agent's user: with the user's token, and bounded answers."""

from collections.abc import Callable
from typing import Any

import httpx
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from nightmail_api.agents.text_window import OFFSET_HEADER

MAX_ITEMS = 100
#: Longer than the API waits for the runner's answer to a preview.
TIMEOUT_SECONDS = 120.0

#: Returns the HTTP client with the token of the agent's user.
ClientOf = Callable[[Context[Any, Any]], httpx.AsyncClient]


class ApiCalls:
    """Calls the REST API as the agent's user. No call names a server: it is always the API of this Nightmail."""

    def __init__(self, client_of: ClientOf) -> None:
        self._client_of = client_of

    async def json(self, context: Context[Any, Any], method: str, path: str, **request: Any) -> Any:
        """Return the JSON of a response.

        Raises:
            ToolError: the API refuses the call; the text names the fields and the way out.
        """
        return (await self._send(context, method, path, request)).json()

    async def delete(self, context: Context[Any, Any], path: str) -> None:
        """Delete an object; raises what `json` raises."""
        await self._send(context, "DELETE", path, {})

    async def text(self, context: Context[Any, Any], path: str, offset: int = 0) -> str:
        """Return a text from an offset, cut as `TextWindow` says."""
        headers = {OFFSET_HEADER: str(offset), "Accept-Encoding": "identity"}
        return (await self._send(context, "GET", path, {"headers": headers})).content.decode()

    async def items(self, context: Context[Any, Any], path: str, limit: int, **query: str | None) -> list[Any]:
        """Return the first items of a list. A page of large items ends early: the next pages are read, too."""
        given = {name: value for name, value in query.items() if value is not None}
        wanted = max(1, min(limit, MAX_ITEMS))
        items: list[Any] = []
        while len(items) < wanted:
            page = await self.json(context, "GET", path, params=given | {"limit": str(wanted - len(items))})
            items += page["items"]
            if page["next_cursor"] is None:
                break
            given["cursor"] = page["next_cursor"]
        return items

    async def _send(
        self, context: Context[Any, Any], method: str, path: str, request: dict[str, Any]
    ) -> httpx.Response:
        try:
            async with self._client_of(context) as client:
                answer = await client.request(method, path, **request)
        except httpx.InvalidURL as error:
            raise ToolError(f"an argument is not valid: {error}") from error
        except httpx.HTTPError as error:
            raise ToolError(f"the API does not answer: {error}") from error
        if answer.is_error:
            raise ToolError(_describe(answer))
        return answer


def _describe(answer: httpx.Response) -> str:
    """Return the text of a problem document (RFC 9457)."""
    try:
        document = answer.json()
        fields = "; ".join(f"{error['field']}: {error['detail']}" for error in document.get("errors", ()))
        return fields or str(document.get("detail") or document["title"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return f"the API answered {answer.status_code}"
