"""A Maildir as a source of delivery status notifications."""

import asyncio
from contextlib import suppress
from pathlib import Path

from nightmail_common.contract.limits import MAX_BOUNCE_BYTES, MAX_BOUNCES_READ


class Maildir:
    """Moves each mail from `new` to `cur`, with the flag `S` if it was a bounce. Any number of mailers may read it."""

    poll_seconds = 5.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def unread(self) -> list[str]:
        return await asyncio.to_thread(self._new)

    async def read(self, name: str) -> bytes | None:
        return await asyncio.to_thread(self._beginning, name)

    async def mark(self, name: str, *, is_bounce: bool) -> None:
        flags = "2,S" if is_bounce else "2,"
        with suppress(FileNotFoundError):  # another mailer took it, too: the event is the same
            (self._folder / "new" / name).rename(self._folder / "cur" / f"{name.partition(':')[0]}:{flags}")

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    def _new(self) -> list[str]:
        names = (entry.name for entry in (self._folder / "new").iterdir() if entry.is_file())
        return sorted(names)[:MAX_BOUNCES_READ]

    def _beginning(self, name: str) -> bytes | None:
        try:
            with (self._folder / "new" / name).open("rb") as file:
                return file.read(MAX_BOUNCE_BYTES)
        except FileNotFoundError:
            return None
