"""Checks the PNGs of a run's figures: a script can write them itself, and mails show them."""

import struct
import zlib
from collections.abc import Sequence

from nightmail_common.contract.limits import MAX_FIGURES_BYTES
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import DrawnFigure

#: PNG (Third Edition), section 5.2.
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Section 5.3: length and type of a chunk, in front of its data; the CRC is behind it.
_CHUNK_HEAD = struct.Struct(">I4s")
_CRC = struct.Struct(">I")
#: Section 11.2.1: width, height, bit depth, colour type, compression, filter, interlace.
_HEADER = struct.Struct(">IIBBBBB")
#: Bytes of a pixel of 8 bits a channel, by colour type: RGB and RGBA. matplotlib writes no other.
_PIXEL_BYTES = {2: 3, 6: 4}
#: Besides IHDR, IDAT and IEND: the size of a pixel. Text chunks could hold what nobody sees and every recipient gets.
_OTHER_CHUNKS = frozenset([b"pHYs"])
#: Inflated in steps of this size.
_STEP_BYTES = 1024**2


class InvalidPng(Exception):
    """The bytes are not a PNG as matplotlib writes it; the message says why."""


def find_figure_mismatch(file: MemoryFile, figures: Sequence[DrawnFigure]) -> str | None:
    """Return why this file does not hold the figures of the answer, or None if it does.

    The file has the PNG of each figure, one behind the other, and nothing else. The largest figures that are allowed take
    half a second.
    """
    if file.size != sum(figure.size for figure in figures):
        return f"the figures have {file.size} bytes, which is not the sum of those in the answer"
    if file.size > MAX_FIGURES_BYTES:
        return f"the figures have {file.size} bytes; at most {MAX_FIGURES_BYTES} are allowed"
    start = 0
    with file.view() as view:
        for number, figure in enumerate(figures, 1):
            try:
                size = png_size(bytes(view[start : start + figure.size]))
            except InvalidPng as error:
                return f"figure {number} is no PNG: {error}"
            if size != (figure.width, figure.height):
                return f"figure {number} is not as large as the answer says"
            start += figure.size
    return None


def png_size(data: bytes) -> tuple[int, int]:
    """Return the width and height of a PNG, all of which is checked.

    Raises:
        InvalidPng: it is no PNG, has an unusual form, other chunks than matplotlib writes, or bytes behind its end.
    """
    if not data.startswith(_SIGNATURE):
        raise InvalidPng("it has another signature")
    chunks = _chunks(data)
    if len(chunks) < 3 or chunks[0][0] != b"IHDR" or chunks[-1] != (b"IEND", b""):
        raise InvalidPng("it does not begin with IHDR and end with IEND")
    if len(chunks[0][1]) != _HEADER.size:
        raise InvalidPng("its header has another length")
    width, height, depth, colour, *methods = _HEADER.unpack(chunks[0][1])
    if depth != 8 or colour not in _PIXEL_BYTES or any(methods):
        raise InvalidPng("its pixels have an unusual form")
    kinds = {kind for kind, _ in chunks[1:-1]}
    if unexpected := kinds - _OTHER_CHUNKS - {b"IDAT"}:
        raise InvalidPng(f"it has a chunk {min(unexpected)!r}")
    pixels = b"".join(content for kind, content in chunks if kind == b"IDAT")
    _check_pixels(pixels, height * (1 + width * _PIXEL_BYTES[colour]))  # each line begins with its filter
    return width, height


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks = []
    position = len(_SIGNATURE)
    while position < len(data):
        if len(data) - position < _CHUNK_HEAD.size + _CRC.size:
            raise InvalidPng("it ends within a chunk")
        length, kind = _CHUNK_HEAD.unpack_from(data, position)
        end = position + _CHUNK_HEAD.size + length
        if end + _CRC.size > len(data):
            raise InvalidPng("it ends within a chunk")
        if zlib.crc32(data[position + 4 : end]) != _CRC.unpack_from(data, end)[0]:
            raise InvalidPng("the checksum of a chunk is wrong")
        chunks.append((kind, data[position + _CHUNK_HEAD.size : end]))
        position = end + _CRC.size
    return chunks


def _check_pixels(compressed: bytes, expected_bytes: int) -> None:
    """Check that pixels inflate to this size, in little memory."""
    inflater = zlib.decompressobj()
    size = 0
    try:
        while not inflater.eof and size <= expected_bytes:
            inflated = inflater.decompress(compressed, _STEP_BYTES)
            compressed = inflater.unconsumed_tail
            if not inflated and not compressed:
                break
            size += len(inflated)
    except zlib.error:
        raise InvalidPng("its pixels are damaged") from None
    if size != expected_bytes or not inflater.eof or inflater.unused_data:
        raise InvalidPng("its pixels do not fill its width and height")
