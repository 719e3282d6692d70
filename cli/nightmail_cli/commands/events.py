"""`nightmail events tail`: an audit subscriber that reads the event log over NATS."""

import asyncio
import os
import sys
from typing import Annotated

import typer

from nightmail_cli.commands.completion import job_names
from nightmail_cli.help import WholeHelp
from nightmail_cli.option_checks import check_choice
from nightmail_cli.output import AsJson, fail

app = typer.Typer(cls=WholeHelp, no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `tail` a subcommand."""


@app.command("tail")
def tail(
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the oldest event.")] = False,
    job: Annotated[str | None, typer.Option(help="Only events of this job.", autocompletion=job_names)] = None,
    event_type: Annotated[
        str | None,
        typer.Option("--type", help="Only events of this type: run-failed.", autocompletion=lambda: event_names()),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print events as they happen, until interrupted."""
    from nightmail_cli.commands.event_tail import UnknownJob, follow  # the NATS client takes long to import
    from nightmail_cli.connect import BrokerUnreachable

    if event_type is not None:
        check_choice(event_type, event_names(), "--type")
    try:
        asyncio.run(follow(job, event_type, from_start=from_start, as_json=as_json))
    except (BrokerUnreachable, UnknownJob) as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit from None
    except BrokenPipeError:  # the reader of our output has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def event_names() -> list[str]:
    from nightmail_common.contract.events import EVENTS  # takes long to import

    return sorted(EVENTS)
