"""Groups of commands: their help, and commands whose modules are imported only when they are called."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_group

#: A summary is one sentence of any length.
_WHOLE = 1_000


class WholeHelp(TyperGroup):
    """A group whose list of commands is folded, not cut, on a narrow terminal."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summary(ctx, name)) for name in self.list_commands(ctx)])

    def summary(self, ctx: Any, name: str) -> str:
        """Return the summary of a command in the list of commands."""
        command = self.get_command(ctx, name)
        assert command is not None
        return command.get_short_help_str(_WHOLE)


class Place(NamedTuple):
    """Where a command is: a function, or the `typer.Typer` of a group; and its summary in the list of commands."""

    module: str
    attribute: str
    summary: str


class LazyCommands(WholeHelp):
    """A group that imports the module of a command when it is called: the clients of HTTP and NATS take long."""

    places: ClassVar[Mapping[str, Place]] = {}
    #: The order of the help.
    order: ClassVar[tuple[str, ...]] = ()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(self.order)

    def summary(self, ctx: Any, name: str) -> str:
        place = self.places.get(name)
        return super().summary(ctx, name) if place is None else place.summary

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        place = self.places.get(cmd_name)
        if place is not None and cmd_name not in self.commands:
            found = getattr(import_module(place.module), place.attribute)
            alone = typer.Typer(rich_markup_mode=self.rich_markup_mode)
            if isinstance(found, typer.Typer):
                alone.add_typer(found, name=cmd_name, help=place.summary)
            else:
                alone.command(cmd_name)(found)
            self.add_command(get_group(alone).commands[cmd_name])
        return super().get_command(ctx, cmd_name)
