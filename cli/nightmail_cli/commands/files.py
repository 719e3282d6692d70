"""`nightmail files`: the files that jobs read, over REST."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from nightmail_cli.client import Client
from nightmail_cli.help import WholeHelp
from nightmail_cli.output import AsJson, format_time, print_done, print_json, print_table, write_content

app = typer.Typer(cls=WholeHelp, no_args_is_help=True)
StoredPath = Annotated[str, typer.Argument(help="The path by which jobs name the file: sales/2026.csv", metavar="PATH")]
IfMatch = Annotated[
    str | None, typer.Option("--if-match", help="Only if the file has this SHA-256, as `files list --json` shows it.")
]

_CHUNK_BYTES = 1024 * 1024


@app.command("list")
def list_files(as_json: AsJson = False) -> None:
    """List the uploaded files. Files that lie in the data folder of a runner are not among them."""
    found = Client().ask(lambda api: api.files.list())
    if as_json:
        print_json(found)
        return
    rows = ((one["path"], one["size"], format_time(one["modified_at"]), one["sha256"][:12]) for one in found)
    print_table(("path", "bytes", "when", "sha256"), rows, empty="there are no uploaded files")


@app.command("put")
def put(
    file: Annotated[
        Path, typer.Argument(help="The file to upload.", metavar="FILE", exists=True, dir_okay=False, readable=True)
    ],
    path: Annotated[
        str | None, typer.Argument(help="The path by which jobs name it. [default: the file's name]", metavar="PATH")
    ] = None,
    if_match: IfMatch = None,
    as_json: AsJson = False,
) -> None:
    """Upload a file, or replace one."""

    def content() -> Iterator[bytes]:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                yield chunk

    size = file.stat().st_size
    stored = Client().ask(lambda api: api.files.put(path or file.name, content(), size=size, sha256=if_match))
    print_done(f"stored {stored['path']!r}: {stored['size']} bytes", dict(stored), as_json=as_json)


@app.command("get")
def get(
    path: StoredPath,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file. [default: stdout]")] = None,
    as_json: AsJson = False,
) -> None:
    """Download a file.

    With --json, print its size and its SHA-256 instead.
    """
    write_content(Client().ask(lambda api: api.files.get(path)), output, {"path": path}, as_json=as_json)


@app.command("delete")
def delete(
    path: StoredPath,
    force: Annotated[bool, typer.Option(help="Delete it even if a job names it.")] = False,
    if_match: IfMatch = None,
    as_json: AsJson = False,
) -> None:
    """Delete an uploaded file."""
    Client().ask(lambda api: api.files.delete(path, force=force, sha256=if_match))
    print_done(f"deleted {path!r}", {"path": path, "status": "deleted"}, as_json=as_json)
