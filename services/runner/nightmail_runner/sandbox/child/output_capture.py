"""What a script prints, as it is kept: the first and the last of it."""

from collections import deque

#: Of each end. A script that prints in a loop must not fill the log with itself.
KEPT_BYTES = 64 * 1024


class Printed:
    """Takes what comes, keeps the first and the last 64 KiB."""

    def __init__(self) -> None:
        self._first = bytearray()
        self._last: deque[bytes] = deque()
        self._last_size = 0
        self._dropped = 0

    def add(self, data: bytes) -> None:
        room = KEPT_BYTES - len(self._first)
        if room:
            self._first += data[:room]
            data = data[room:]
        if data:
            self._last.append(data)
            self._last_size += len(data)
        while self._last and self._last_size - len(self._last[0]) >= KEPT_BYTES:
            gone = self._last.popleft()
            self._last_size -= len(gone)
            self._dropped += len(gone)

    def text(self) -> str:
        """Return it as text; what is no UTF-8 is shown as backslash escapes, NUL as U+2400."""
        last = b"".join(self._last)
        surplus = max(len(last) - KEPT_BYTES, 0)
        dropped = self._dropped + surplus
        first, last = bytes(self._first), last[surplus:]
        if dropped:
            first += f"\n[... {dropped} bytes are left out ...]\n".encode()
        return (first + last).decode("utf-8", "backslashreplace").replace("\0", "\N{SYMBOL FOR NULL}")
