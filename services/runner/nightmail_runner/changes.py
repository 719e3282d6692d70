"""The changes of a result since the last delivered one: what changed, and whether it is worth a mail."""

import asyncio

from nightmail_common.contract.events import RunRequested
from nightmail_common.contract.result_parts import Changes
from nightmail_common.contract.timezones import zone
from nightmail_runner.last_delivered import Previous
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded


def changes_since(previous: Previous | None, result: Succeeded) -> Changes | None:
    """Return what changed, for the event of a result; None if nothing was compared."""
    if previous is None or result.changes is None:
        return None
    counts = result.changes
    return Changes(
        run_id=previous.event.run_id,
        since=previous.event.scheduled_at,
        added=counts.added,
        removed=counts.removed,
        changed=counts.changed,
        unchanged=counts.unchanged,
        marks=counts.marks,
    )


async def why_unchanged(
    request: RunRequested, previous: Previous | None, result: Succeeded, csv: MemoryFile
) -> str | None:
    """Return why a job that skips what did not change gets no result; None if it gets one.

    With `compare_by`, a result is unchanged if it has the same columns and the same rows in any order, and without it if
    its CSV has the same bytes.
    """
    job = request.job
    if job.when_unchanged == "send" or previous is None:
        return None
    before = previous.event
    if job.compare_by:
        unchanged = result.changes is not None and result.changes.is_none
    else:
        unchanged = csv.size == before.csv.size and await asyncio.to_thread(csv.sha256) == before.csv.sha256
    if not unchanged:
        return None
    due = before.scheduled_at.astimezone(zone(job.timezone))
    return f"the result is that of {due:%Y-%m-%d %H:%M} (the run {before.run_id}), the last one that was delivered"
