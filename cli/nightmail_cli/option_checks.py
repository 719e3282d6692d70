"""Checks of options and arguments: a wrong one is wrong usage (exit 2) that names it, before the API is called."""

import re
from collections.abc import Iterable
from datetime import datetime

import typer

#: The API searches for runs by so many digits at least.
_RUN_ID = re.compile(r"[0-9a-f]{4,32}")


def check_choice(value: str | None, choices: Iterable[str], option: str) -> None:
    """Check that an option is one of some words.

    Raises:
        typer.BadParameter: it is not; the message lists them.
    """
    known = tuple(choices)
    if value is not None and value not in known:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(known)}", param_hint=option)


def check_time(value: str | None, option: str) -> None:
    """Check that an option is a time with its offset from UTC.

    Raises:
        typer.BadParameter: it is not.
    """
    if value is None:
        return
    try:
        valid = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        valid = False
    if not valid:
        raise typer.BadParameter(f"{value!r} is no time as in 2026-11-23T09:00:00+01:00", param_hint=option)


def check_run_id(value: str) -> str:
    """Return an argument that can be a run's id or the beginning of one.

    Raises:
        typer.BadParameter: it cannot.
    """
    if _RUN_ID.fullmatch(value.replace("-", "").lower()) is None:
        raise typer.BadParameter(f"{value!r} is no run's id, nor the beginning of one: 4 to 32 hexadecimal digits")
    return value
