"""One HTTP download: redirects, content encodings and retries, each with a limit."""

import asyncio
import ssl
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import structlog

from nightmail_common.broker.backoff import Backoff
from nightmail_runner.sources.addresses import AddressRefused

ATTEMPTS = 3
#: Most servers that restart or shed load answer again within a second or two.
BACKOFF = Backoff(first=0.5, longest=5.0)
#: The longest Retry-After that is honoured; a source that asks for more fails the fetch.
MAX_RETRY_AFTER_SECONDS = 30.0
MAX_REDIRECTS = 5
#: How much is decompressed at once, so that a bomb reaches the size limit before it fills the memory.
_DECOMPRESSED_BYTES = 1024 * 1024
#: `wbits` of zlib.decompressobj: detect gzip or zlib by the header.
_GZIP_OR_ZLIB = 47

Write = Callable[[bytes], None]

logger = structlog.get_logger()


class CannotFetch(Exception):
    """The data cannot be fetched. The message is for the job's owner."""


class _TransientFailure(Exception):
    """An attempt failed, and the next one may succeed."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


async def download(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str], begin: Callable[[], Write], timeout_seconds: float
) -> str | None:
    """Fetch a URL; retry transient failures, up to three attempts. Return the `charset` of the answer.

    Args:
        headers: sent to the URL's own origin only, not to where it redirects.
        begin: called at the start of each attempt; returns the function that takes the bytes.
        timeout_seconds: of each attempt, from its first to its last byte.

    Raises:
        CannotFetch: a permanent failure, or the last attempt failed.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with asyncio.timeout(timeout_seconds):
                return await _attempt(client, url, headers, begin())
        except TimeoutError:
            failure = _TransientFailure(f"the source took longer than {timeout_seconds:g} s")
        except _TransientFailure as error:
            failure = error
        if attempt == ATTEMPTS:
            raise CannotFetch(f"{failure} ({ATTEMPTS} attempts)")
        wait = BACKOFF.wait(attempt)
        if failure.retry_after_seconds is not None:
            if failure.retry_after_seconds > MAX_RETRY_AFTER_SECONDS:
                raise CannotFetch(f"{failure}; it asks for a retry after {failure.retry_after_seconds:.0f} s")
            wait = failure.retry_after_seconds
        logger.info("fetch_retried", attempt=attempt, wait_seconds=round(wait, 3))
        await asyncio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


async def _attempt(client: httpx.AsyncClient, url: str, headers: Mapping[str, str], write: Write) -> str | None:
    target = httpx.URL(url)
    own_origin = _origin(target)
    for _ in range(MAX_REDIRECTS + 1):
        sent = {"accept-encoding": "gzip"} | (dict(headers) if _origin(target) == own_origin else {})
        try:
            async with client.stream("GET", target, headers=sent, follow_redirects=False) as response:
                if response.next_request is None:
                    await _receive(response, write)
                    return response.charset_encoding
                target = response.next_request.url
        except AddressRefused as error:
            raise CannotFetch(str(error)) from error
        except httpx.TransportError as error:
            raise _classify(error) from error
        except httpx.HTTPError as error:
            raise CannotFetch(_describe(error)) from error
    raise CannotFetch(f"the source redirects more than {MAX_REDIRECTS} times")


async def _receive(response: httpx.Response, write: Write) -> None:
    status = response.status_code
    answer = f"the source answered {status} {response.reason_phrase}".strip()
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
        raise _TransientFailure(answer, _retry_after(response))
    if status != httpx.codes.OK:
        raise CannotFetch(answer)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        async for chunk in response.aiter_raw():
            write(chunk)
    elif encoding in {"gzip", "x-gzip", "deflate"}:
        await _decompress(response, write)
    else:
        raise CannotFetch(f"the source sent the content encoding {encoding!r}, which the request does not accept")


async def _decompress(response: httpx.Response, write: Write) -> None:
    decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        async for chunk in response.aiter_raw():
            rest = chunk
            while rest:
                if decompressor.eof:  # a gzip file can have several members (RFC 1952)
                    decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
                write(decompressor.decompress(rest, _DECOMPRESSED_BYTES))
                rest = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
        write(decompressor.flush())
    except zlib.error as error:
        raise CannotFetch(f"the source's compressed data is corrupt: {error}") from error
    if not decompressor.eof:
        raise _TransientFailure("the source's compressed data is truncated")


def _classify(error: httpx.TransportError) -> Exception:
    """Return a connection error as a transient or a permanent failure."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return CannotFetch(f"the source's TLS certificate or connection is not valid: {cause.reason or cause}")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return CannotFetch(_describe(error))
    return _TransientFailure(_describe(error))


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 section 10.2.3), or None if there is none that is valid."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
