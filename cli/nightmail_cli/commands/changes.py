"""A changed field of a job, as the lines that show it: for the plan of `jobs apply`, and for the versions of a job."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nightmail_cli.output import echo

_DIFF_COLOURS = {"+": "green", "-": "red"}


@dataclass(frozen=True)
class Change:
    """A changed field of a job: its value before, and its value after."""

    field: str
    before: Any
    after: Any

    def lines(self) -> Iterator[tuple[str, str | None]]:
        """Yield the lines that show the change, each with its colour."""
        if not any(isinstance(value, str) and "\n" in value for value in (self.before, self.after)):
            yield f"{self.field}: {self.before!r} -> {self.after!r}", None
            return
        yield f"{self.field}:", None
        before, after = (str(value or "").splitlines() for value in (self.before, self.after))
        for line in list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]:
            yield f"  {line}", _DIFF_COLOURS.get(line[0])

    def show(self) -> None:
        for line, colour in self.lines():
            echo(f"    {line}", fg=colour)
