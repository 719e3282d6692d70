"""Rate limit for log lines: an error that repeats while its cause lasts is logged once a minute."""

import math
import time

#: The same error is logged once in this time: an hour without a broker makes sixty lines, not ten thousand.
REPEAT_ERROR_SECONDS = 60.0
#: The most texts kept: a text with a different number in each error would otherwise fill the memory.
_MAX_TEXTS = 1000


class RepeatedLines:
    """Says which errors are to be logged now."""

    def __init__(self) -> None:
        self._logged_at: dict[str, float] = {}

    def is_due(self, text: str) -> bool:
        """Return whether this text was not due within the last minute; then it counts as logged."""
        now = time.monotonic()
        if now - self._logged_at.get(text, -math.inf) < REPEAT_ERROR_SECONDS:
            return False
        if len(self._logged_at) >= _MAX_TEXTS:
            self._logged_at.clear()
        self._logged_at[text] = now
        return True
