"""Tokens of the API (role admin)."""

from typing import cast
from urllib.parse import quote

from nightmail_client.blocking.transport import Transport
from nightmail_client.records import TokenRecord
from nightmail_client.requests import without_none


class TokenCalls:
    """The calls about tokens."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> list[TokenRecord]:
        """Return the tokens, without their secrets (role admin)."""
        return cast("list[TokenRecord]", (self._transport.send("GET", "/tokens")).json()["items"])

    def create(self, name: str, role: str, *, expires_at: str | None = None) -> TokenRecord:
        """Create a token (role admin); `token` of the answer cannot be read again."""
        body = without_none(name=name, role=role, expires_at=expires_at)
        return cast("TokenRecord", (self._transport.send("POST", "/tokens", json=body)).json())

    def revoke(self, name: str) -> None:
        """Revoke a token (role admin); it stops working at once."""
        self._transport.send("DELETE", f"/tokens/{quote(name, safe='')}")
