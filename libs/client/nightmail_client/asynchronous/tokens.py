"""Tokens of the API (role admin)."""

from typing import cast
from urllib.parse import quote

from nightmail_client.asynchronous.transport import AsyncTransport
from nightmail_client.records import TokenRecord
from nightmail_client.requests import without_none


class AsyncTokenCalls:
    """The calls about tokens."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> list[TokenRecord]:
        """Return the tokens, without their secrets (role admin)."""
        return cast("list[TokenRecord]", (await self._transport.send("GET", "/tokens")).json()["items"])

    async def create(self, name: str, role: str, *, expires_at: str | None = None) -> TokenRecord:
        """Create a token (role admin); `token` of the answer cannot be read again."""
        body = without_none(name=name, role=role, expires_at=expires_at)
        return cast("TokenRecord", (await self._transport.send("POST", "/tokens", json=body)).json())

    async def revoke(self, name: str) -> None:
        """Revoke a token (role admin); it stops working at once."""
        await self._transport.send("DELETE", f"/tokens/{quote(name, safe='')}")
