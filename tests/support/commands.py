"""The commands of `nightmail`, as the command itself lists them."""

from typing import Any

import typer

from nightmail_cli.main import app


def every_command() -> list[list[str]]:
    """Return the words of every command and of every group, beginning with those of none."""
    found: list[list[str]] = []
    todo: list[tuple[list[str], Any]] = [([], typer.main.get_command(app))]
    while todo:
        words, command = todo.pop()
        found.append(words)
        if hasattr(command, "list_commands"):
            todo += [([*words, name], command.get_command(None, name)) for name in command.list_commands(None)]
    assert ["runs", "list"] in found
    assert ["nats-config"] in found
    return found
