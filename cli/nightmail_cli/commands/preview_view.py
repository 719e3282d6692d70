"""The result of a preview as text for people."""

from typing import Any

from nightmail_cli.output import echo, print_table
from nightmail_common.contract.text import describe_typed


def print_preview(answer: dict[str, Any]) -> None:
    """Print what a preview gave: the log, then the first rows and how many there are, or the error."""
    echo(answer["log"], nl=False, err=True)
    for note in answer["notes"]:
        echo(f"note, {note['stage']}: {note['text']}", err=True)
    error = answer.get("error")
    if error is not None:
        echo(error["traceback"] or "", nl=False, err=True)
        echo(f"error: {describe(error)}", fg="red", err=True)
        return
    if answer["skipped"] is not None:
        echo(f"skipped by the script: {answer['skipped']}")
        return
    print_table(answer["columns"], answer["first_rows"], empty="no rows")
    rows, shown = answer["rows"], len(answer["first_rows"])
    echo(f"{rows:,} {'row' if rows == 1 else 'rows'}" if rows <= shown else f"the first {shown:,} of {rows:,} rows")
    if (sent := answer.get("sent")) is not None:
        colour = "green" if sent["outcome"] == "accepted" else "red"
        echo(f"mail to {sent['recipient']}: {sent['outcome']}: {sent['answer']}", fg=colour, err=True)


def describe(error: dict[str, Any]) -> str:
    """Return an error of a run or preview in one line."""
    return f"{error['stage']}: {describe_typed(error['type'], error['message'])}"
