"""Undoes the content encoding of an HTTP answer (RFC 9110 section 8.4), with little memory for any body."""

import asyncio
import zlib
from collections.abc import AsyncIterator

import httpx

from nightmail_common.contract.limits import MAX_COMPRESSED_OVERHEAD, MAX_HELD_SECONDS
from nightmail_runner.sources.errors import CannotFetch, TransientFailure

#: The value of Accept-Encoding in every request.
ACCEPTED = "gzip, deflate"
#: How much is decompressed at once, so that a bomb reaches the size limit before it fills the memory.
_DECOMPRESSED_BYTES = 1024 * 1024
#: `wbits` of zlib.decompressobj: gzip or zlib by the header, and deflate without a header, as some servers send it.
_GZIP_OR_ZLIB, _RAW_DEFLATE = 47, -15
_GZIP_MAGIC = b"\x1f\x8b"
_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
#: A file that was stored compressed, and compressed again by a proxy.
_MOST_CODINGS = 3
#: Values that are no content encoding: people set charsets and placeholders (S3 stores them), and S3 keeps `aws-chunked`.
_NO_CODINGS = frozenset(
    {"utf-8", "utf8", "iso-8859-1", "us-ascii", "binary", "none", "null", "7bit", "8bit", "aws-chunked"}
)


async def decoded(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the body of an answer that is being received, without its content encoding.

    A source that sends fast and in small parts has always the next one ready, so that nothing waits here. The event loop is
    given to others now and then: the heartbeats of all runs of this runner depend on it.

    Raises:
        CannotFetch: the encoding is unknown, or the compressed data is corrupt.
        TransientFailure: the compressed data is truncated.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + MAX_HELD_SECONDS
    async for chunk in _without_encoding(response):
        if loop.time() > until:
            await asyncio.sleep(0)
            until = loop.time() + MAX_HELD_SECONDS
        yield chunk


async def _without_encoding(response: httpx.Response) -> AsyncIterator[bytes]:
    encodings = [one for one in _encodings(response.headers) if one not in _NO_CODINGS]
    if len(encodings) > _MOST_CODINGS or not _CODINGS.issuperset(encodings):
        raise CannotFetch(
            f"the source sent the content encoding {', '.join(encodings)!r}, which the request does not accept"
        )
    chunks = response.aiter_raw()
    for _ in encodings:  # the last one was applied last; each shows which one it is
        chunks = _decompressed(chunks)
    async for chunk in chunks:
        yield chunk


def describe_ignored(headers: httpx.Headers) -> str:
    """Return which content encodings of an answer were ignored, because they are none; or an empty text."""
    ignored = [one for one in _encodings(headers) if one in _NO_CODINGS]
    return f"the answer's Content-Encoding {', '.join(ignored)} is none, and was ignored" if ignored else ""


def _encodings(headers: httpx.Headers) -> list[str]:
    names = (one.strip().lower() for one in headers.get("content-encoding", "").split(","))
    return [name for name in names if name not in {"", "identity"}]


async def _decompressed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    head = b""
    decompressor = None
    overhead = 0
    try:
        async for chunk in chunks:
            overhead += len(chunk)
            if overhead > MAX_COMPRESSED_OVERHEAD:
                raise CannotFetch(f"the source's compressed data is {overhead} bytes larger than its content")
            rest = head + chunk
            if decompressor is None:
                if len(rest) < 2:
                    head = rest
                    continue
                head = b""
                decompressor = zlib.decompressobj(_window(rest))
            while rest:
                if decompressor.eof:  # a gzip file can have several members (RFC 1952)
                    decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
                content = decompressor.decompress(rest, _DECOMPRESSED_BYTES)
                overhead -= len(content)
                yield content
                rest = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
        if decompressor is not None:
            yield decompressor.flush()
    except zlib.error as error:
        raise CannotFetch(f"the source's compressed data is corrupt: {error}") from error
    if head or (decompressor is not None and not decompressor.eof):
        raise TransientFailure("the source's compressed data is truncated")


def _window(head: bytes) -> int:
    """Return the `wbits` for compressed data, by its first two bytes (RFC 1952 section 2.3, RFC 1950 section 2.2)."""
    is_zlib = head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2]) % 31 == 0
    return _GZIP_OR_ZLIB if is_zlib or head.startswith(_GZIP_MAGIC) else _RAW_DEFLATE
