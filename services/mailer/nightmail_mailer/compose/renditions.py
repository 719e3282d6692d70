"""The forms of one mail, the largest first: the next one is rendered only if the server says that a mail is too large."""

import asyncio
from collections.abc import Callable

from nightmail_mailer.compose.render import RenderFor


class Renditions:
    """The renditions of a mail, shared by its recipients.

    Args:
        first: what is sent to everybody.
        smaller: return the next ones; they take time, and run in a thread.
        too_large: why no further one exists.
    """

    def __init__(
        self, first: RenderFor, *smaller: Callable[[], RenderFor], too_large: str = "the mail is too large"
    ) -> None:
        self.too_large = too_large
        self.count = 1 + len(smaller)
        self._rendered = [first]
        self._smaller = smaller
        self._rendering = asyncio.Lock()

    async def get(self, number: int) -> RenderFor:
        """Return a rendition, counted from 0; each one is rendered once."""
        async with self._rendering:
            while len(self._rendered) <= number:
                self._rendered.append(await asyncio.to_thread(self._smaller[len(self._rendered) - 1]))
        return self._rendered[number]
