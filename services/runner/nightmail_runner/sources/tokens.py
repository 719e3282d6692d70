"""OAuth 2.0 access tokens for a client itself (RFC 6749 section 4.4), kept until they expire or are refused."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode
from weakref import WeakValueDictionary

import httpx

from nightmail_common.contract.limits import MAX_TOKEN_ANSWER_BYTES, MAX_TOKENS
from nightmail_common.contract.request_headers import is_header_value
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.sources.download import SmallBody, download
from nightmail_runner.sources.errors import CannotFetch, SourceRefused
from nightmail_runner.sources.redirects import SourceRequest

#: A token that is about to expire could do so on its way to the source.
EXPIRY_MARGIN_SECONDS = 30.0
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Credentials:
    """What a token is asked for with. Two jobs with the same credentials share a token."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None


@dataclass(frozen=True)
class _Token:
    text: str
    expires_at: float


class TokenCache:
    """Asks for tokens, and keeps them."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self._tokens: dict[Credentials, _Token] = {}
        #: While a token is asked for, the other fetches with the same credentials wait for it.
        self._asking: WeakValueDictionary[Credentials, asyncio.Lock] = WeakValueDictionary()

    async def get(self, credentials: Credentials, timeout_seconds: float, mask: Callable[[str], str]) -> str:
        """Return a token that is valid, as far as its server says.

        Raises:
            CannotFetch: the server gives none.
        """
        async with self._asking.setdefault(credentials, asyncio.Lock()):
            kept = self._tokens.get(credentials)
            if kept is None or kept.expires_at <= time.monotonic():
                kept = await self._request(credentials, timeout_seconds, mask)
                self._tokens.pop(credentials, None)
                self._tokens[credentials] = kept
                if len(self._tokens) > MAX_TOKENS:
                    self._tokens.pop(next(iter(self._tokens)))
            return kept.text

    def discard(self, credentials: Credentials, token: str) -> None:
        """Forget a token that a source has refused, unless another fetch has replaced it."""
        kept = self._tokens.get(credentials)
        if kept is not None and kept.text == token:
            del self._tokens[credentials]

    async def _request(self, credentials: Credentials, timeout_seconds: float, mask: Callable[[str], str]) -> _Token:
        """Ask with the credentials in the Authorization header, which every server supports, or else in the form.

        Some servers take them in the form only, against RFC 6749 section 2.3.1.
        """
        answer = SmallBody(MAX_TOKEN_ANSWER_BYTES, f"the answer is larger than {MAX_TOKEN_ANSWER_BYTES} bytes")
        try:
            try:
                await download(self._transport, _in_header(credentials, mask), answer.begin, timeout_seconds)
            except SourceRefused as error:
                if error.status not in {httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED}:
                    raise
                await download(self._transport, _in_form(credentials, mask), answer.begin, timeout_seconds)
        except CannotFetch as error:
            raise CannotFetch(f"no access token from {credentials.token_url}: {error}") from None
        return _parse(answer.data, credentials, mask)


def _in_header(credentials: Credentials, mask: Callable[[str], str]) -> SourceRequest:
    user = f"{quote_plus(credentials.client_id)}:{quote_plus(credentials.client_secret)}"
    authorization = f"Basic {base64.b64encode(user.encode()).decode()}"
    return _token_request(credentials, {}, {"Authorization": authorization}, mask)


def _in_form(credentials: Credentials, mask: Callable[[str], str]) -> SourceRequest:
    fields = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
    return _token_request(credentials, fields, {}, mask)


def _token_request(
    credentials: Credentials, fields: dict[str, str], headers: dict[str, str], mask: Callable[[str], str]
) -> SourceRequest:
    scope = {"scope": credentials.scope} if credentials.scope else {}
    form = urlencode({"grant_type": "client_credentials"} | scope | fields)
    headers = {"Content-Type": _FORM, "Accept": "application/json"} | headers
    return SourceRequest(credentials.token_url, headers, "POST", form.encode(), mask)


def _parse(data: bytes | bytearray, credentials: Credentials, mask: Callable[[str], str]) -> _Token:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        answer = None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token or not is_header_value(token):
        raise CannotFetch(f"the answer of {credentials.token_url} has no access_token{_reason(answer, mask)}")
    lifetime = answer.get("expires_in")
    try:
        seconds = float(lifetime) if lifetime is not None else float("inf")
    except (TypeError, ValueError, OverflowError):
        seconds = float("inf")
    return _Token(token, time.monotonic() + max(seconds - EXPIRY_MARGIN_SECONDS, seconds / 2))


def _reason(answer: object, mask: Callable[[str], str]) -> str:
    """Return the error of an answer (RFC 6749 section 5.2), which some servers send with the status 200."""
    fields = [answer.get(name) for name in ("error", "error_description")] if isinstance(answer, dict) else []
    texts = [shorten(mask(text)) for text in fields if isinstance(text, str) and text]
    return f": {': '.join(texts)}" if texts else ""
