"""The rows of runs: what a batch of events makes of them, read once and written once for each run.

The events of a run that come together (all four of them while a replica catches up) cost one row, not one each.
"""

from typing import Any

from nightmail_api.read_model.database import Rows
from nightmail_api.read_model.run_projection import columns, expires_at, identity
from nightmail_common.contract.envelope import StoredEvent, iso_time
from nightmail_common.contract.events import RunEvent, RunRequested, RunSkipped
from nightmail_common.contract.run import status_after

#: What a run's first event says for good.
_FIXED = (
    "sequence",
    "run_id",
    "job_name",
    "job_id",
    "job_version",
    "trigger",
    "scheduled_at",
    "late",
    "requested_at",
    "expires_at",
)
#: What later ones change.
_CHANGING = ("status", "started_at", "finished_at", "rows", "error", "mails", "timings", "outcome_sequence", "timeline")

_SELECT = f"SELECT {', '.join(_CHANGING)} FROM runs WHERE run_id = ?"  # noqa: S608
_INSERT = (
    f"INSERT INTO runs ({', '.join((*_FIXED, *_CHANGING))})"  # noqa: S608
    f" VALUES ({', '.join(f':{name}' for name in (*_FIXED, *_CHANGING))})"
)
_UPDATE = f"UPDATE runs SET {', '.join(f'{name} = :{name}' for name in _CHANGING)} WHERE run_id = :run_id"  # noqa: S608
_LAST_RUN = "UPDATE jobs SET last_run_id = ? WHERE job_name = ? AND job_id = ?"


class RunRows:
    """The runs that one transaction changes. They are in the table after `write`, which a change to a job must follow.

    Args:
        rows: the connection, in a transaction.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._new: dict[str, dict[str, Any]] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._last_of_job: dict[tuple[str, str], str] = {}

    def apply(self, event: RunEvent, stored: StoredEvent) -> bool:
        """Apply an event; False if it is about an erased job and must not be in the log."""
        run_id = str(event.run_id)
        entry = f'{{"type": "{stored.name}", "time": "{iso_time(stored.time)}", "sequence": {stored.sequence}}}'
        run = self._new.get(run_id) or self._known.get(run_id) or self._read(run_id)
        status = None
        if run is not None:
            status = run["status"]
            run["timeline"] += "," + entry
        else:
            known = identity(event)
            if self._is_erased(event.job_name, None if known is None else known["job_id"]):
                return False
            if known is None or not isinstance(event, RunRequested | RunSkipped):
                # Its first event is older than the retention, and so is the run: its last ones are about to go, too.
                return True
            run = dict.fromkeys(_FIXED + _CHANGING) | known
            run |= {"sequence": stored.sequence, "run_id": run_id, "timeline": entry, "mails": "[]"}
            run["expires_at"] = expires_at(stored)
            self._new[run_id] = run
            self._last_of_job[event.job_name, known["job_id"]] = run_id
        run |= columns(event, stored, status, run["mails"])
        run["status"] = status_after(status, event)
        return True

    def write(self) -> None:
        """Write the runs, and forget them."""
        self._rows.executemany(_INSERT, self._new.values())
        self._rows.executemany(_UPDATE, self._known.values())
        self._rows.executemany(_LAST_RUN, ((run_id, *job) for job, run_id in self._last_of_job.items()))
        self._new.clear()
        self._known.clear()
        self._last_of_job.clear()

    def _read(self, run_id: str) -> dict[str, Any] | None:
        row = self._rows.execute(_SELECT, (run_id,)).fetchone()
        if row is None:
            return None
        run = dict(zip(_CHANGING, row, strict=True)) | {"run_id": run_id}
        self._known[run_id] = run
        return run

    def _is_erased(self, job_name: str, job_id: str | None) -> bool:
        """Say whether a run that is not known is one of an erased job: its runner or mailer was at work meanwhile."""
        found = self._rows.execute("SELECT job_id FROM erased WHERE job_name = ?", (job_name,)).fetchall()
        return any(job_id in {None, erased} for (erased,) in found)
