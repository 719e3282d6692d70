"""`nightmail events tail`: an audit subscriber, which reads the log itself, over NATS."""

import asyncio
from typing import Annotated

import typer

from nightmail_cli.output import AsJson

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `tail` a subcommand."""


@app.command("tail")
def tail(
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the oldest event.")] = False,
    job: Annotated[str | None, typer.Option(help="Only events of this job.")] = None,
    event_type: Annotated[str | None, typer.Option("--type", help="Only events of this type: run-failed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print events as they happen, until interrupted."""
    from nightmail_cli.audit import follow  # no other command needs a connection to NATS

    try:
        asyncio.run(follow(job, event_type, from_start=from_start, as_json=as_json))
    except KeyboardInterrupt:
        raise typer.Exit from None
