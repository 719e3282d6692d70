"""Signed links: a payload that anyone can read, and an HMAC-SHA-256 (RFC 2104) over it.

The holder of a link may do the one thing of its purpose. It has no personal data: a recipient is a pseudonym.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

UNSUBSCRIBE = "unsubscribe"
RESULT = "result"
SLICE = "slice"

#: The path of each purpose's links, below `PUBLIC_URL`.
PATHS = {UNSUBSCRIBE: "/unsubscribe/", RESULT: "/shared/results/", SLICE: "/shared/slices/"}

_EXPIRES = "exp"


class LinkNotValid(Exception):
    """The signature is wrong, the link has another purpose, or it has expired."""


def sign(key: str, purpose: str, payload: Mapping[str, str], expires_at: datetime | None = None) -> str:
    """Return a payload as a token of URL-safe characters that `read` accepts for this purpose only."""
    content: dict[str, str | int] = dict(payload)
    if expires_at is not None:
        content[_EXPIRES] = int(expires_at.timestamp())
    body = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    return f"{encode_base64url(body)}.{encode_base64url(_mac(key, purpose, body))}"


def read(key: str, purpose: str, token: str) -> dict[str, str]:
    """Return the payload of a token.

    Raises:
        LinkNotValid: `sign` did not make this token for this purpose, or it has expired.
    """
    body_text, _, mac_text = token.partition(".")
    try:
        body, mac = decode_base64url(body_text), decode_base64url(mac_text)
    except ValueError:
        raise LinkNotValid("the link is damaged") from None
    if not hmac.compare_digest(mac, _mac(key, purpose, body)):
        raise LinkNotValid("the link is damaged or was not made here")
    content: dict[str, str] = json.loads(body)
    expires = content.pop(_EXPIRES, None)
    if expires is not None and int(expires) < datetime.now(UTC).timestamp():
        raise LinkNotValid("the link's time is over")
    return content


def pseudonym(key: str, job_id: UUID, address: str) -> str:
    """Return the pseudonym of a recipient in links; without the key it identifies nobody."""
    return hmac.digest(key.encode(), f"recipient\0{job_id}\0{address}".encode(), hashlib.sha256).hex()[:32]


def _mac(key: str, purpose: str, body: bytes) -> bytes:
    return hmac.digest(key.encode(), purpose.encode() + b"\0" + body, hashlib.sha256)


def encode_base64url(data: bytes) -> str:
    """Return the characters of RFC 4648, section 5, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Return the bytes that `encode_base64url` encoded.

    Raises:
        ValueError: the text is not base64url.
    """
    if not text.isascii():
        raise ValueError("not base64url")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
