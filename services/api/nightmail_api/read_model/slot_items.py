"""The items of the ledger of due times, as JSON text."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

#: A due time, a job's name, and the item of the answer as JSON; slots are in the order of the first two.
Slot = tuple[str, str, str]

#: The fate of a due time by the status of its run, where the two have different names.
_FATES = {"processed": "running"}


def slots_of(rows: Iterable[tuple[str, str, str]]) -> list[Slot]:
    """Return the slots of due times and job names, with the further fields of the item."""
    return [(due, name, f'{{"job_name":{_quoted(name)},"due":"{due}",{end}') for due, name, end in rows]


def end_of_slot(fate: str, run_id: str | None = None, late: float | None = None, empty: bool = False) -> str:
    return (
        f'"fate":"{fate}","run_id":{json.dumps(run_id)},"late_seconds":{json.dumps(late)},"empty":{json.dumps(empty)}}}'
    )


def slot_of_run(run: Mapping[str, Any]) -> str:
    """Return the item of a run."""
    status, skipped, late = run["status"], run["skipped"], None
    missed = status == "skipped" and skipped is not None and json.loads(skipped)["reason"] == "missed"
    if run["requested_at"] is not None:
        seconds = datetime.fromisoformat(run["requested_at"]) - datetime.fromisoformat(run["scheduled_at"])
        late = round(max(seconds.total_seconds(), 0.0), 3)
    end = end_of_slot("missed" if missed else _FATES.get(status, status), run["run_id"], late, is_empty(run))
    [(_, _, item)] = slots_of([(run["scheduled_at"], run["job_name"], end)])
    return item


def is_empty(run: Mapping[str, Any]) -> bool:
    """Return whether a run without a row ended as delivered, and nobody got a mail of its result."""
    if run["status"] != "delivered" or run["rows"] != 0:
        return False
    return not any(mail["kind"] == "result" for mail in json.loads(run["mails"]))


# An answer has 10,000 items, often of the same jobs as the one before.
_quoted = lru_cache(maxsize=16_384)(json.JSONEncoder(ensure_ascii=False).encode)
