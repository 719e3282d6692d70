"""`nightmail nats-config`: print a nats-server's users for its configuration, and write each user's seed to a file."""

from pathlib import Path
from typing import Annotated

import typer

from nightmail_cli.output import AsJson, fail, print_json


def nats_config(
    seeds: Annotated[
        Path, typer.Option(help="The folder of the seeds, one file per user; existing seeds are kept.")
    ] = Path("nats-seeds"),
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file instead of stdout.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the users of a nats-server, and write their seeds.

    The output is the authorization part of the server's configuration: include it there. It has public keys only. Give
    each service its own seed and no other: NIGHTMAIL_NATS_SEEDS is the folder of the service's seed (api.nk, ticker.nk,
    runner.nk, mailer.nk). auditor.nk reads the log and the results; backup.nk is for nightmail backup and restore.
    """
    from nightmail_cli.local.nats_authorization import authorized, conf, make_seeds  # takes long to import
    from nightmail_common.broker.connection import seed_file

    try:
        keys = make_seeds(seeds)
        users = authorized(keys)
        if output is not None:
            output.write_text(conf(users))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    except ValueError as error:
        fail(str(error))
    if as_json:
        print_json({"authorization": {"users": users}, "seeds": {user: str(seed_file(seeds, user)) for user in keys}})
    elif output is None:
        typer.echo(conf(users), nl=False)
