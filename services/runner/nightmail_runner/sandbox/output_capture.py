"""The log of a run: the beginning and the end of what its script prints."""

from collections import deque

from nightmail_common.contract.limits import MAX_LOG_PART_BYTES


class OutputCapture:
    """Takes output as it comes and keeps the first and the last 64 KiB of it."""

    def __init__(self) -> None:
        self._first = bytearray()
        self._last: deque[bytes] = deque()
        self._last_size = 0
        self._dropped = 0

    def add(self, data: bytes) -> None:
        free = MAX_LOG_PART_BYTES - len(self._first)
        if free:
            self._first += data[:free]
            data = data[free:]
        if data:
            self._last.append(data)
            self._last_size += len(data)
        while self._last and self._last_size - len(self._last[0]) >= MAX_LOG_PART_BYTES:
            dropped = self._last.popleft()
            self._last_size -= len(dropped)
            self._dropped += len(dropped)

    def text(self) -> str:
        """Return the kept output as text; bytes that are not UTF-8 become backslash escapes, NUL becomes U+2400."""
        last = b"".join(self._last)
        surplus = max(len(last) - MAX_LOG_PART_BYTES, 0)
        dropped = self._dropped + surplus
        first, last = bytes(self._first), last[surplus:]
        if dropped:
            first += f"\n[... {dropped} bytes are left out ...]\n".encode()
        return (first + last).decode("utf-8", "backslashreplace").replace("\0", "\N{SYMBOL FOR NULL}")
