"""Tokens of the API (role admin)."""

from urllib.parse import quote

from nightmail_client.blocking.transport import Calls
from nightmail_client.records import TokenRecord
from nightmail_client.requests import without_none


class TokenCalls(Calls):
    """The calls about tokens."""

    def list(self) -> list[TokenRecord]:
        """Return the tokens, without their secrets (role admin)."""
        return (self._transport.json(dict[str, list[TokenRecord]], "GET", "/tokens"))["items"]

    def create(self, name: str, role: str, *, expires_at: str | None = None) -> TokenRecord:
        """Create a token (role admin); `token` of the answer cannot be read again."""
        body = without_none(name=name, role=role, expires_at=expires_at)
        return self._transport.json(TokenRecord, "POST", "/tokens", json=body)

    def revoke(self, name: str) -> None:
        """Revoke a token (role admin); it stops working at once."""
        self._transport.send("DELETE", f"/tokens/{quote(name, safe='')}")
