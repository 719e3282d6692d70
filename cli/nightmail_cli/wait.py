"""Wait until a run ends, with progress on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nightmail_cli.client import Client
from nightmail_cli.output import echo

SUCCEEDED = frozenset({"delivered", "skipped"})


def wait_for_end(client: Client, run_id: str, *, quiet: bool) -> dict[str, Any]:
    """Return the run once it has ended; show its status until then."""
    with _progress(run_id, quiet=quiet) as show:
        show("requested", 0.0)  # a short run ends before the first look, and the user wants its id
        return client.wait(run_id, show)


@contextmanager
def _progress(run_id: str, *, quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """Yield a function that shows a status and the seconds waited: a spinner on a terminal, otherwise a line per status."""
    if quiet:
        yield lambda _status, _waited: None
    elif sys.stderr.isatty():
        from rich.console import Console  # rich takes longer to import than most commands take to run

        with Console(stderr=True).status(f"{run_id} requested") as spinner:
            yield lambda status, waited: spinner.update(f"{run_id} {status}, {waited:.0f} s")
    else:
        yield _StatusLines(run_id).show


class _StatusLines:
    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._shown: str | None = None

    def show(self, status: str, _waited: float) -> None:
        if status != self._shown:
            self._shown = status
            echo(f"{self._run_id} {status}", err=True)
