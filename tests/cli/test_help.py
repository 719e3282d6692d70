"""The help of every command, on narrow and usual terminals."""

import re

import pytest
import typer
from typer.testing import CliRunner

from nightmail_cli.main import app
from support.commands import every_command


@pytest.mark.parametrize("columns", [60, 80])
def test_help_is_whole_fits_the_terminal_and_says_each_default_once(columns: int) -> None:
    for words in every_command():
        shown = CliRunner().invoke(app, [*words, "--help"], terminal_width=columns)
        assert shown.exit_code == 0, words
        assert "--help" in shown.output
        too_long = [line for line in shown.output.splitlines() if len(line) > columns and " " in line.strip()]
        assert too_long == [], words
        # A paragraph of text may end so; a cut summary always does.
        cut = [line for line in shown.output.splitlines() if line.endswith("...") and "COMMAND" not in line]
        assert [line for line in cut if "[ARGS]" not in line and "]..." not in line] == [], words
        doubled = [line for line in shown.output.splitlines() if line.count("default") > 1]
        assert doubled == [], words


def test_the_arguments_of_every_command_are_named_in_one_style() -> None:
    for words in every_command():
        usage = " ".join(CliRunner().invoke(app, [*words, "--help"]).output.partition("\n\n")[0].split())
        for argument in usage.partition("[OPTIONS]")[2].removesuffix("COMMAND [ARGS]...").split():
            assert re.fullmatch(r"\{[A-Z_]+\}|\[[A-Z_]+\](\.\.\.)?|\[jobs\|runs\]", argument), (words, argument)


def test_the_list_of_commands_says_what_each_says_itself() -> None:
    """The list is written down, so that it needs no command's module."""
    group = typer.main.get_command(app)
    for name, place in type(group).places.items():  # type: ignore[attr-defined]
        command = group.get_command(None, name)  # type: ignore[attr-defined]
        assert command.get_short_help_str(1000) == place.summary, name
    assert set(group.order) == {*type(group).places, *group.commands}  # type: ignore[attr-defined]


def test_the_list_of_commands_begins_with_what_a_new_user_needs() -> None:
    lines = CliRunner().invoke(app, ["--help"]).output.partition("Commands:")[2].split("\n")
    names = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert names[:4] == ["up", "open", "login", "jobs"]


def test_every_command_that_ends_by_itself_prints_json() -> None:
    interactive = {("mcp",), ("nats-config",)}
    for words in every_command():
        shown = CliRunner().invoke(app, [*words, "--help"]).output
        if "COMMAND [ARGS]" not in shown and tuple(words) not in interactive:
            assert "--json" in shown, words
