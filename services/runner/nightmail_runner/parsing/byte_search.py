"""Looks into large data part by part: a copy of the whole would take longer than to look, because each of its pages is new."""

from collections.abc import Iterator

#: Fits into a processor's cache.
_PART_BYTES = 64 * 1024


def parts_of(data: memoryview) -> Iterator[bytes]:
    """Yield the bytes of data in parts of 64 KiB."""
    for start in range(0, len(data), _PART_BYTES):
        yield bytes(data[start : start + _PART_BYTES])


def has_one_of(data: memoryview, wanted: bytes) -> bool:
    """Return whether one of these bytes is in data."""
    return any(byte in part for part in parts_of(data) for byte in wanted)
