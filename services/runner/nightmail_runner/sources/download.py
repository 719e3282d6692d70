"""One HTTP download: its attempts, and what the status of each answer means."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from nightmail_common.broker import tracing
from nightmail_common.contract.limits import MAX_EXCERPT_BYTES, MAX_EXCERPT_CHARS
from nightmail_runner.sources.addresses import AddressRefused
from nightmail_runner.sources.attempts import try_again
from nightmail_runner.sources.content_encoding import decoded, describe_ignored
from nightmail_runner.sources.errors import CannotFetch, SourceRefused, TransientFailure
from nightmail_runner.sources.redirects import Redirected, SourceRequest, follow_redirects

#: Statuses that say "later": 408 Request Timeout, 425 Too Early (RFC 8470), 429 Too Many Requests (RFC 6585); and all 5xx.
_TRANSIENT = frozenset({408, 425, 429})

Write = Callable[[bytes], None]


@dataclass(frozen=True)
class Answer:
    """The parts of a successful response other than its body."""

    url: httpx.URL
    charset: str | None
    #: Headers that were not sent to where the source redirects; or empty.
    dropped: str = ""
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    #: The answer to a conditional request is 304: the source has not changed, and sends no body.
    not_modified: bool = False

    @property
    def notes(self) -> list[str]:
        """What was decided about the request and the answer."""
        return [note for note in (self.dropped, describe_ignored(self.headers)) if note]


class SmallBody:
    """Takes the bytes of an answer that fits into memory.

    Args:
        max_bytes: a larger answer is a failure.
        refusal: what the failure says.
    """

    def __init__(self, max_bytes: int, refusal: str) -> None:
        self.data = bytearray()
        self._max_bytes = max_bytes
        self._refusal = refusal

    def begin(self) -> Write:
        self.data.clear()
        return self._write

    def _write(self, data: bytes) -> None:
        self.data += data
        if len(self.data) > self._max_bytes:
            raise CannotFetch(self._refusal)


async def download(
    transport: httpx.AsyncBaseTransport,
    request: SourceRequest,
    begin: Callable[[], Write],
    timeout_seconds: float,
) -> Answer:
    """Send a request; retry transient failures, up to three attempts.

    Args:
        begin: called at the start of each attempt; returns the function that takes the bytes.
        timeout_seconds: the longest silence: for a connection, the first byte, and each next one.

    Raises:
        CannotFetch: a permanent failure, or the last attempt failed.
    """

    async def attempt() -> Answer:
        method, host = request.method, httpx.URL(request.url).host
        with tracing.span(method, "CLIENT", http__request__method=method, server__address=host):
            return await _attempt(transport, request, begin(), timeout_seconds)

    return await try_again(attempt)


async def _attempt(
    transport: httpx.AsyncBaseTransport, request: SourceRequest, write: Write, timeout_seconds: float
) -> Answer:
    try:
        async with follow_redirects(transport, request, timeout_seconds) as redirected:
            response = redirected.response
            tracing.annotate(http__response__status_code=response.status_code)
            if request.conditional and response.status_code == httpx.codes.NOT_MODIFIED:
                return Answer(response.url, None, redirected.dropped, response.headers, not_modified=True)
            await _refuse_failure(redirected, request.mask)
            async for chunk in decoded(response):
                write(chunk)
            return Answer(response.url, response.charset_encoding, redirected.dropped, response.headers)
    except AddressRefused as error:
        raise CannotFetch(str(error)) from error
    except httpx.ConnectTimeout as error:
        raise TransientFailure(f"no connection to the source within {timeout_seconds:g} s") from error
    except httpx.TimeoutException as error:
        raise TransientFailure(
            f"the source sent nothing for {timeout_seconds:g} s; the source's timeout_seconds can allow more"
        ) from error
    except httpx.TransportError as error:
        raise _classify(error) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CannotFetch(_describe(error)) from error


async def _refuse_failure(redirected: Redirected, mask: Callable[[str], str]) -> None:
    response, dropped = redirected.response, redirected.dropped
    status = response.status_code
    if status == httpx.codes.OK:
        return
    parts = [f"the source answered {status} {response.reason_phrase}".strip()]
    if excerpt := await _excerpt(response, mask):
        parts[0] += f": {excerpt}"
    if dropped:
        parts.append(dropped)
    if status in _TRANSIENT or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise TransientFailure("; ".join(parts), _retry_after(response))
    raise SourceRefused("; ".join(parts), status)


async def _excerpt(response: httpx.Response, mask: Callable[[str], str]) -> str:
    """Return the first part of an answer's body as one line of text, as far as it can be read."""
    body = bytearray()
    try:
        async for chunk in decoded(response):
            body += chunk[:MAX_EXCERPT_BYTES]
            if len(body) >= MAX_EXCERPT_BYTES:
                break
    except (CannotFetch, TransientFailure, httpx.HTTPError):
        pass  # the status says more than a body that breaks off
    text = mask(body[:MAX_EXCERPT_BYTES].decode("utf-8", "replace"))
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= MAX_EXCERPT_CHARS else f"{text[:MAX_EXCERPT_CHARS]}..."


def _classify(error: httpx.TransportError) -> Exception:
    """Return a connection error as a transient or a permanent failure."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return CannotFetch(f"the source's TLS certificate or connection is not valid: {cause.reason or cause}")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return CannotFetch(_describe(error))
    return TransientFailure(_describe(error))


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 section 10.2.3), or None if there is none that is valid."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):  # the last of an offset of many digits
        return None
