"""One download: redirects, encodings and retries, each with its limit."""

import asyncio
import random
import ssl
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import structlog

from nightmail_runner.sources.addresses import AddressRefused

ATTEMPTS = 3
#: Between two attempts, doubled each time, with jitter.
FIRST_WAIT_SECONDS = 0.5
#: What a source may ask us to wait with Retry-After; one that wants more is left alone.
LONGEST_RETRY_AFTER_SECONDS = 30.0
MAX_REDIRECTS = 5
#: How much of a compressed stream is made plain at once: a bomb is noticed before it is large.
_PLAIN_BYTES = 1024 * 1024
#: zlib.decompressobj: gzip or zlib, whichever its head says.
_GZIP_OR_ZLIB = 47

Write = Callable[[bytes], None]

logger = structlog.get_logger()


class CannotFetch(Exception):
    """The data did not come, and why, in words for the job's owner."""


class _TryAgain(Exception):
    """This may be over in a moment."""

    def __init__(self, why: str, after_seconds: float | None = None) -> None:
        super().__init__(why)
        self.after_seconds = after_seconds


async def download(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str], begin: Callable[[], Write], timeout_seconds: float
) -> None:
    """Fetch a URL, up to three times where that makes sense.

    Args:
        headers: sent to the URL's own origin only, not to where it redirects.
        begin: called at the beginning of each attempt; returns what takes the bytes.
        timeout_seconds: of each attempt, from its first to its last byte.

    Raises:
        CannotFetch: the data did not come.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with asyncio.timeout(timeout_seconds):
                await _attempt(client, url, headers, begin())
                return
        except TimeoutError:
            failure = _TryAgain(f"the source took longer than {timeout_seconds:g} s")
        except _TryAgain as error:
            failure = error
        if attempt == ATTEMPTS:
            raise CannotFetch(f"{failure} ({ATTEMPTS} attempts)")
        wait = random.uniform(0.5, 1) * FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
        if failure.after_seconds is not None:
            if failure.after_seconds > LONGEST_RETRY_AFTER_SECONDS:
                raise CannotFetch(f"{failure}; it asks to come back in {failure.after_seconds:.0f} s")
            wait = failure.after_seconds
        logger.info("fetch_is_tried_again", attempt=attempt, wait_seconds=round(wait, 3))
        await asyncio.sleep(wait)


async def _attempt(client: httpx.AsyncClient, url: str, headers: Mapping[str, str], write: Write) -> None:
    at = httpx.URL(url)
    own_origin = _origin(at)
    for _ in range(MAX_REDIRECTS + 1):
        sent = {"accept-encoding": "gzip"} | (dict(headers) if _origin(at) == own_origin else {})
        try:
            async with client.stream("GET", at, headers=sent, follow_redirects=False) as response:
                if response.next_request is None:
                    await _take(response, write)
                    return
                at = response.next_request.url
        except AddressRefused as error:
            raise CannotFetch(str(error)) from error
        except httpx.TransportError as error:
            raise _judged(error) from error
        except httpx.HTTPError as error:
            raise CannotFetch(_words(error)) from error
    raise CannotFetch(f"the source redirects more than {MAX_REDIRECTS} times")


async def _take(response: httpx.Response, write: Write) -> None:
    status = response.status_code
    answered = f"the source answered {status} {response.reason_phrase}".strip()
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
        raise _TryAgain(answered, _retry_after(response))
    if status != httpx.codes.OK:
        raise CannotFetch(answered)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        async for chunk in response.aiter_raw():
            write(chunk)
    elif encoding in {"gzip", "x-gzip", "deflate"}:
        await _unzip(response, write)
    else:
        raise CannotFetch(f"the source sends its data in the encoding {encoding!r}, which was not asked for")


async def _unzip(response: httpx.Response, write: Write) -> None:
    plain = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        async for chunk in response.aiter_raw():
            rest = chunk
            while rest:
                if plain.eof:  # gzip members can follow one another (RFC 1952)
                    plain = zlib.decompressobj(_GZIP_OR_ZLIB)
                write(plain.decompress(rest, _PLAIN_BYTES))
                rest = plain.unused_data if plain.eof else plain.unconsumed_tail
        write(plain.flush())
    except zlib.error as error:
        raise CannotFetch(f"the source's gzip is broken: {error}") from error
    if not plain.eof:
        raise _TryAgain("the source's gzip ends too early")


def _judged(error: httpx.TransportError) -> Exception:
    """Return what an error of the connection means: something for the moment, or for good."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return CannotFetch(f"the source's TLS cannot be trusted: {cause.reason or cause}")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return CannotFetch(_words(error))
    return _TryAgain(_words(error))


def _words(error: Exception) -> str:
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
