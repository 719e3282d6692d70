"""Waiting for a run to end, with progress on stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from nightmail_cli.client import Client

STILL_GOING = frozenset({"requested", "running", "processed"})
ENDED_WELL = frozenset({"delivered", "skipped"})

#: Short runs are looked at often, long ones seldom.
SHORTEST_POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 1.0


def wait_for_end(client: Client, run_id: str, *, quiet: bool) -> dict[str, Any]:
    """Return the run once it has ended, and tell until then how it goes."""
    started = time.monotonic()
    with _progress(run_id, quiet=quiet) as show:
        while True:
            run: dict[str, Any] = client.call("GET", f"/runs/{run_id}").json()
            if run["status"] not in STILL_GOING:
                return run
            waited = time.monotonic() - started
            show(run["status"], waited)
            time.sleep(min(max(waited / 10, SHORTEST_POLL_SECONDS), LONGEST_POLL_SECONDS))


@contextmanager
def _progress(run_id: str, *, quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """Yield what shows a status and the seconds so far: a spinner on a terminal, elsewhere a line per status."""
    if quiet:
        yield lambda _status, _waited: None
    elif sys.stderr.isatty():
        from rich.console import Console  # rich takes longer to import than most commands to run

        with Console(stderr=True).status(f"{run_id} requested") as spinner:
            yield lambda status, waited: spinner.update(f"{run_id} {status}, {waited:.0f} s")
    else:
        yield _Lines(run_id).show


class _Lines:
    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._said: str | None = None

    def show(self, status: str, _waited: float) -> None:
        if status != self._said:
            self._said = status
            typer.echo(f"{self._run_id} {status}", err=True)
