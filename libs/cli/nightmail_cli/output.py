"""What the command prints: tables that fit the terminal, JSON with `--json`, errors on stderr."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

#: The exit code of a command that was understood and did not work; 2 is for usage (typer's own).
FAILED = 1


def fail(message: str) -> NoReturn:
    """End the command with one line on stderr and exit code 1."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(FAILED)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Print rows below their columns' names; `empty` says what it means that there is none."""
    from rich.console import Console  # rich takes longer to import than most commands to run
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    if table.row_count:
        Console().print(table)
    else:
        typer.echo(empty)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print one thing: a line per field, texts of several lines below their names."""
    width = max(len(name) for name in fields)
    for name, value in fields.items():
        text = value if isinstance(value, str) else "-" if value is None else json.dumps(value, ensure_ascii=False)
        if "\n" in text.strip():
            typer.echo(f"{name}:")
            typer.echo("".join(f"    {line}\n" for line in text.rstrip().splitlines()), nl=False)
        else:
            typer.echo(f"{name:<{width}}  {text.strip()}")
