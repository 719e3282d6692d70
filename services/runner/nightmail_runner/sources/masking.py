"""Masks secrets in texts that people read: errors, notes, logs."""

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
#: A shorter part of an encoded secret stands in ordinary words, too.
_SHORTEST_PART_CHARS = 4


class Masker:
    """Replaces secrets by `***`: plain, in base64, hex, URL encoding (RFC 3986), JSON and HTML escapes."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.hide(secrets)

    def hide(self, secrets: Iterable[str]) -> None:
        """Mask these secrets, too."""
        self.secrets.update(secret for secret in secrets if secret)
        patterns = [pattern for secret in self.secrets for pattern in _patterns(secret)]
        patterns.sort(key=len, reverse=True)  # a secret that contains another one is masked as a whole
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def mask(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(MASK, text)


def _patterns(secret: str) -> set[str]:
    # Basic authentication has a text in base64, which OAuth 2.0 has URL-encoded (RFC 6749, section 2.3.1).
    coded = {secret, quote_plus(secret), quote(secret, safe="")}
    data = secret.encode()
    texts = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    parts = {
        part
        for part in (*(part for text in coded for part in _base64_parts(text.encode())), data.hex(), data.hex().upper())
        if len(part) >= _SHORTEST_PART_CHARS
    }
    return {re.escape(text) for text in texts | parts} | {"".join(map(_url_encoded, secret))}


def _base64_parts(data: bytes) -> set[str]:
    """Return the part of every base64 text around the data that the bytes beside it do not change (RFC 4648)."""
    parts = set()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data).decode()
        first = (offset * 8 + 5) // 6
        last = (offset + len(data)) * 8 // 6
        parts |= {encoded[first:last], encoded[first:last].translate(str.maketrans("+/", "-_"))}
    return parts


def _url_encoded(char: str) -> str:
    """Return the pattern of a character as it is, or percent-encoded."""
    encoded = "".join(f"%(?i:{byte:02x})" for byte in char.encode())
    plus = r"|\+" if char == " " else ""
    return f"(?:{re.escape(char)}|{encoded}{plus})"
