"""Output of the commands: tables that fit the terminal, JSON with `--json`, errors on stderr."""

import hashlib
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from nightmail_common.contract.visible_text import visible, visible_json

if TYPE_CHECKING:
    from rich.table import Table

ItemT = TypeVar("ItemT")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

#: The exit code of a command that failed; 2 is for wrong usage (typer's own).
FAILED = 1
#: A pipe has no width: no line is cut or folded.
_NO_LIMIT = 100_000

#: A number as `json` and pandas write it.
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?(e[-+]\d+)?")

#: The colour of each outcome. The word is enough on a terminal without colours.
COLOURS = {
    "delivered": "green",
    "accepted": "green",
    "ready": "green",
    "ok": "green",
    "active": "green",
    "requested": "cyan",
    "running": "cyan",
    "processed": "cyan",
    "waiting": "yellow",
    "skipped": "yellow",
    "cancelled": "yellow",
    "paused": "yellow",
    "warning": "yellow",
    "uncertain": "yellow",
    "failed": "red",
    "undelivered": "red",
    "refused": "red",
    "bounced": "red",
    "problem": "red",
    "not ready": "red",
}


def first_of(items: Iterable[ItemT], limit: int) -> list[ItemT]:
    """Return at most `limit` items, and say on stderr if there are more: a list that is cut must not seem whole."""
    first = list(islice(items, limit + 1))
    if len(first) > limit:
        echo(f"there are more than these {limit}: raise --limit", err=True)
    return first[:limit]


def echo(text: str = "", *, fg: str | None = None, err: bool = False, nl: bool = True) -> None:
    """Print a text of whatever origin: job names, logs, errors and servers' answers cannot steer the terminal."""
    colour = fg if "NO_COLOR" not in os.environ else None  # https://no-color.org
    typer.secho(visible(text), fg=colour, err=err, nl=nl, reset=colour is not None)


def fail(message: str) -> NoReturn:
    """End the command with one line on stderr and exit code 1."""
    echo("error: ", fg="red", err=True, nl=False)
    echo(message, err=True)
    raise typer.Exit(FAILED)


def print_json(value: Any) -> None:
    typer.echo(visible_json(json.dumps(value, indent=2, ensure_ascii=False)))


def print_json_line(value: Any) -> None:
    typer.echo(visible_json(json.dumps(value, ensure_ascii=False)))


def print_done(line: str, value: Any, *, as_json: bool) -> None:
    """Print the outcome of a command: one line, or with `--json` the value."""
    if as_json:
        print_json(value)
    else:
        echo(line)


def write_content(content: bytes, output: Path | None, of: Mapping[str, Any], *, as_json: bool) -> None:
    """Write what a command downloads to a file, or to stdout; with `--json` print its facts instead of itself.

    Args:
        of: what was downloaded, the first fields of the facts.
    """
    if output is not None:
        try:
            output.write_bytes(content)
        except OSError as error:
            fail(f"cannot write {output}: {error.strerror}")
    if as_json:
        facts = {"file": None if output is None else str(output), "bytes": len(content)}
        print_json({**of, **facts, "sha256": hashlib.sha256(content).hexdigest()})
    elif output is not None:
        echo(f"{len(content)} bytes in {output}")
    elif sys.stdout.isatty():
        echo(content.decode(errors="replace"), nl=False)
    else:
        sys.stdout.buffer.write(content)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, whole: str = "", optional: Sequence[str] = ()
) -> None:
    """Print rows below their columns' names, folded to the terminal's width; numbers are aligned to the right.

    Args:
        empty: the line to print when there are no rows.
        whole: the column that is never folded, because people copy its values.
        optional: the columns to leave out, the first one first, until the rest fits the terminal unfolded.
    """
    from rich.console import Console  # rich takes longer to import than most commands take to run

    cells = [tuple(row) for row in rows]
    if not cells:
        echo(empty)
        return
    terminal = sys.stdout.isatty()
    drawn = io.StringIO()
    console = Console(
        file=drawn,
        width=None if terminal else _NO_LIMIT,
        color_system="standard" if terminal and "NO_COLOR" not in os.environ else None,
        force_terminal=terminal,
    )
    unlimited = console.options.update(max_width=_NO_LIMIT)
    left_out: set[str] = set()
    table = _table(columns, cells, left_out, whole)
    for name in optional:
        if console.measure(table, options=unlimited).maximum <= console.width:
            break
        left_out.add(name)
        table = _table(columns, cells, left_out, whole)
    console.print(table)
    for line in drawn.getvalue().splitlines():
        typer.echo(line.rstrip())


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]], left_out: set[str], whole: str) -> "Table":
    from rich.table import Table
    from rich.text import Text

    shown = [place for place, column in enumerate(columns) if column not in left_out]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place in shown:
        numbers = all(_is_number(row[place]) for row in rows)
        name = visible(str(columns[place]))
        table.add_column(Text(name), overflow="fold", no_wrap=name == whole, justify="right" if numbers else "left")
    for row in rows:
        texts = ("" if row[place] is None else visible(str(row[place])) for place in shown)
        table.add_row(*(Text(text, style=COLOURS.get(text.split(" until ")[0], "")) for text in texts))
    return table


def _is_number(value: Any) -> bool:
    """Return whether a cell is empty or a number; `007` and `+49` are codes."""
    return value in {None, ""} or isinstance(value, int | float) or _NUMBER.fullmatch(str(value)) is not None


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print a line per field; a text of several lines goes below its name."""
    width = max(len(name) for name in fields)
    for name, value in fields.items():
        text = value if isinstance(value, str) else "-" if value is None else json.dumps(value, ensure_ascii=False)
        if "\n" in text.strip():
            echo(f"{name}:")
            echo("".join(f"    {line}\n" for line in text.rstrip().splitlines()), nl=False)
        else:
            echo(f"{name:<{width}}  {text.strip()}")


def format_time(time: str | None) -> str:
    """Return an ISO 8601 time for people, in its own zone, to the second; seconds only if they are not zero."""
    if time is None:
        return "-"
    day, clock = datetime.fromisoformat(time).isoformat(timespec="seconds").split("T")
    at, offset = clock[:8].removesuffix(":00"), clock[8:]
    return f"{day} {at} {'UTC' if offset == '+00:00' else offset}"
