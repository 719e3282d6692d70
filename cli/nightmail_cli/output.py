"""Output of the commands: tables that fit the terminal, JSON with `--json`, errors on stderr."""

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer

from nightmail_common.contract.visible_text import visible, visible_json

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

#: The exit code of a command that failed; 2 is for wrong usage (typer's own).
FAILED = 1
#: A pipe has no width: no line is cut or folded.
_NO_LIMIT = 100_000


def echo(text: str = "", *, fg: str | None = None, err: bool = False, nl: bool = True) -> None:
    """Print a text of whatever origin: job names, logs, errors and servers' answers cannot steer the terminal."""
    typer.secho(visible(text), fg=fg, err=err, nl=nl)


def fail(message: str) -> NoReturn:
    """End the command with one line on stderr and exit code 1."""
    echo(f"error: {message}", err=True)
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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, whole: str = "") -> None:
    """Print rows below their columns' names, folded to the terminal's width.

    Args:
        empty: the line to print when there are no rows.
        whole: the column that is never folded, because people copy its values.
    """
    from rich.console import Console  # rich takes longer to import than most commands take to run
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == whole)
    for row in rows:
        table.add_row(*(Text("" if value is None else visible(str(value))) for value in row))
    if not table.row_count:
        echo(empty)
        return
    drawn = io.StringIO()
    Console(file=drawn, width=None if sys.stdout.isatty() else _NO_LIMIT).print(table)
    for line in drawn.getvalue().splitlines():
        echo(line.rstrip())


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
    """Return an ISO 8601 time for people, in its own zone; seconds only if they are not zero."""
    if time is None:
        return "-"
    day, clock = datetime.fromisoformat(time).isoformat(timespec="seconds").split("T")
    at, offset = clock[:8].removesuffix(":00"), clock[8:]
    return f"{day} {at} {'UTC' if offset == '+00:00' else offset}"
