"""One-time codes: a person who opens the console with one begins a session of the token for which the code was issued.

A code is base64url of its expiry (4 bytes, Unix time), a nonce (4), the token's key, and 12 bytes of an HMAC-SHA-256
(RFC 2104, section 5 allows to truncate it). The HMAC covers the token's hash too, so a code ends with its token. Nothing is
stored to issue one, so `nightmail up` issues the first before the API runs; a bucket keeps the used ones (`sessions.py`).
"""

import hashlib
import hmac
import secrets
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from nightmail_common.contract.signing import decode_base64url, encode_base64url

#: Long enough to start `nightmail up` and come back to it, short enough for a link in a terminal's history.
CODE_SECONDS = 600
MAC_BYTES = 12
#: Longer than any code: a token's key has 26 characters.
MAX_CODE_CHARS = 128

_HEAD = struct.Struct(">I4s")


class CodeNotValid(Exception):
    """The code is damaged, expired, used, or its token is revoked; the message says what to do."""


@dataclass(frozen=True)
class OneTimeCode:
    """A code as it was read. `matches` says whether it is genuine, which needs the token's hash."""

    token_key: str
    expires_at: datetime
    body: bytes
    mac: bytes

    def matches(self, secret_key: str, token_sha256: str) -> bool:
        """Return whether `issue_code` made it for this token."""
        return hmac.compare_digest(self.mac, _mac(secret_key, token_sha256, self.body))

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= datetime.now(UTC)


def issue_code(secret_key: str, token_key: str, token_sha256: str) -> tuple[str, datetime]:
    """Return a code for the console's link, and when it expires."""
    expires = int(time.time()) + CODE_SECONDS
    body = _HEAD.pack(expires, secrets.token_bytes(4)) + token_key.encode()
    code = encode_base64url(body + _mac(secret_key, token_sha256, body))
    return code, datetime.fromtimestamp(expires, UTC)


def parse_code(code: str) -> OneTimeCode:
    """Return the parts of a code.

    Raises:
        CodeNotValid: it is no code.
    """
    try:
        raw = decode_base64url(code)
        body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        expires, _ = _HEAD.unpack_from(body)
        key = body[_HEAD.size :].decode("ascii")
    except (ValueError, struct.error):
        raise CodeNotValid("the code is not valid: copy the whole link") from None
    return OneTimeCode(key, datetime.fromtimestamp(expires, UTC), body, mac)


def _mac(secret_key: str, token_sha256: str, body: bytes) -> bytes:
    message = b"one-time code\0" + token_sha256.encode() + b"\0" + body
    return hmac.digest(secret_key.encode(), message, hashlib.sha256)[:MAC_BYTES]
