"""Looks into large data part by part: a copy of the whole would take longer than to look, because each of its pages is new."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

#: Fits into a processor's cache.
PART_BYTES = 64 * 1024
#: Below this a thread costs more than it saves.
_SHARE_BYTES = 16 * 1024**2


def parts_of(data: memoryview) -> Iterator[bytes]:
    """Yield the bytes of data in parts of 64 KiB."""
    for start in range(0, len(data), PART_BYTES):
        yield bytes(data[start : start + PART_BYTES])


def has_one_of(data: memoryview, wanted: bytes) -> bool:
    """Return whether one of these bytes is in data."""
    return any(byte in part for part in parts_of(data) for byte in wanted)


def all_shares(text: memoryview, holds: Callable[[memoryview], bool]) -> bool:
    """Return whether something holds for the whole of a text in UTF-8; large text is shared by the processors.

    A share begins with a character. Where none begins within four bytes, the text is not UTF-8.
    """
    shares = min(os.cpu_count() or 1, len(text) // _SHARE_BYTES)
    if shares <= 1:
        return holds(text)
    even = [len(text) * number // shares for number in range(1, shares)]
    bounds = [next((at for at in range(near, near + 4) if text[at] & 0xC0 != 0x80), near) for near in even]
    with ThreadPoolExecutor(shares) as pool:
        return all(pool.map(lambda start, end: holds(text[start:end]), [0, *bounds], [*bounds, len(text)]))
