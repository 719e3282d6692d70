"""Runs as text for people: a run with its error, its mails and its timeline, and the outcome in one line."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from nightmail_cli.output import COLOURS, echo, format_time, print_table
from nightmail_common.contract.text import describe_typed

#: The beginning of an id that people read and type: the milliseconds of a manual run's UUIDv7 (RFC 9562), so that it is
#: unique among those that are not listed, too.
SHORT_ID_CHARS = 13
#: The beginning of a digest: enough to compare two by eye. `--json` has it whole.
_DIGEST_CHARS = 12
#: Recipients without the mail that the outcome in one line names.
_MAX_NAMED = 3
_STAGES = ("fetch", "parse", "script", "output")


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Return the beginning of each id that no other of these ids shares, at least thirteen characters long."""
    for length in range(SHORT_ID_CHARS, 36):
        if len({one[:length] for one in ids}) == len(set(ids)):
            return {one: one[:length].rstrip("-") for one in ids}
    return {one: one for one in ids}


def summary(run: dict[str, Any]) -> str:
    """Return the outcome of a run in one line."""
    if run["error"] is not None:
        error = run["error"]
        return f"{run['status']} at {error['stage']}: {describe_typed(error['type'], error['message'])}"
    if run["skipped"] is not None:
        return f"{run['status']} ({run['skipped']['reason']}): {run['skipped']['detail']}"
    text = str(run["status"]) if run["rows"] is None else f"{run['status']}, {run['rows']:,} rows"
    lost = [mail for mail in run["mails"] if mail["kind"] == "result" and mail["outcome"] != "accepted"]
    shown = [f"{mail['address']} {mail['outcome']}: {mail['answer']}" for mail in lost[:_MAX_NAMED]]
    more = [f"and {len(lost) - _MAX_NAMED} more"] if len(lost) > _MAX_NAMED else []
    return "; ".join([text, *shown, *more])


def print_error(error: dict[str, Any], *, err: bool = False) -> None:
    """Print the traceback of a run's error below the line that says what failed."""
    if error["traceback"]:
        echo("".join(f"    {line}\n" for line in error["traceback"].rstrip().splitlines()), nl=False, err=err)


def print_run(run: dict[str, Any]) -> None:
    """Print a run: the outcome first, then how it came about."""
    echo(f"{run['job_name']}: ", nl=False)
    echo(summary(run), fg=COLOURS.get(run["status"]))
    if run["error"] is not None:
        print_error(run["error"])
    facts = list(_facts(run))
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        echo(f"{name:<{width}}  {text}")
    for note in run["notes"]:
        echo(f"note, {note['stage']}: {note['text']}")
    if run["mails"]:
        echo("\nmails")
        rows = [(f"  {one['address']}", one["kind"], one["outcome"], one["answer"]) for one in run["mails"]]
        print_table(("  recipient", "kind", "outcome", "answer"), rows, empty="")
    echo("\ntimeline")
    began = datetime.fromisoformat(run["timeline"][0]["time"])
    for event in run["timeline"]:
        time = datetime.fromisoformat(event["time"])
        echo(f"  {time:%H:%M:%S} UTC  {f'+{(time - began).total_seconds():,.3f} s':>12}  {event['type']}")


def _facts(run: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "run", run["run_id"]
    by = f"by {run['actor']}, " if run["actor"] else ""
    late = ", late" if run["late"] else ""
    yield "due", f"{format_time(run['scheduled_at'])} ({by}{run['trigger']}{late})"
    yield "version", str(run["job_version"])
    if run["runner"]:
        attempt = f", attempt {run['attempts']}" if run["attempts"] > 1 else ""
        yield "runner", f"{run['runner']}{attempt}"
    if run["timings"]:
        times = {stage: run["timings"][f"{stage}_ms"] for stage in _STAGES}
        stages = ", ".join(f"{stage} {_milliseconds(time)}" for stage, time in times.items() if time is not None)
        yield "took", f"{_milliseconds(run['timings']['total_ms'])}{f': {stages}' if stages else ''}"
    if run["columns"] is not None:
        yield "result", f"{run['rows']:,} rows, {run['bytes']:,} bytes: {', '.join(run['columns'])}"
    if run["changes"] is not None:
        counts = {"new": "added", "gone": "removed", "changed": "changed", "unchanged": "unchanged"}
        counted = ", ".join(f"{run['changes'][count]:,} {what}" for what, count in counts.items())
        yield "changes", f"{counted} since {format_time(run['changes']['since'])}"
    digests = [
        f"{kind} {digest[:_DIGEST_CHARS]}"
        for kind in ("input", "script", "result")
        if (digest := run[f"{kind}_sha256"])
    ]
    if digests:
        yield "sha256", ", ".join(digests)
    if run["runtime"]:
        yield "runtime", ", ".join(f"{name} {version}" for name, version in run["runtime"].items())


def _milliseconds(duration: float | None) -> str:
    return "-" if duration is None else f"{duration:,.0f} ms"
