"""The rows of runs. The runs of a batch of events are read once and written once, not once for each event."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from nightmail_api.read_model.acts import act_of, add_acts
from nightmail_api.read_model.due_times import utc_text
from nightmail_api.read_model.event_reader import expires_at
from nightmail_api.read_model.input_projection import InputProjection
from nightmail_api.read_model.mail_projection import MailProjection, mails_of
from nightmail_api.read_model.schema import erased, jobs, runs
from nightmail_api.read_model.slot_items import slot_of_run
from nightmail_common.contract.blob import ResultFigure
from nightmail_common.contract.envelope import StoredEvent, iso_time
from nightmail_common.contract.events import (
    Event,
    InputKept,
    MailBounced,
    MailDeferred,
    MailEvent,
    MailSkipped,
    ResultReady,
    RunCancelled,
    RunEvent,
    RunFailed,
    RunRequested,
    RunSkipped,
    RunStarted,
)
from nightmail_common.contract.run import ENDED, status_after

#: The columns that a run's first event sets.
_FIXED = (
    "sequence",
    "run_id",
    "job_name",
    "job_id",
    "job_version",
    "trigger",
    "scheduled_at",
    "late",
    "missed",
    "requested_at",
    "expires_at",
)
#: The columns that later events change.
_CHANGING = (
    "status",
    "slot",
    "started_at",
    "finished_at",
    "rows",
    "bytes",
    "error",
    "skipped",
    "mails",
    "timings",
    "outcome_sequence",
    "details",
    "timeline",
)

#: The columns of those that a change needs.
_IDENTITY = ("run_id", "job_name", "scheduled_at", "requested_at")

_UPDATE = update(runs).where(runs.c.run_id == bindparam("of_run")).values({name: bindparam(name) for name in _CHANGING})
_SET_LAST_RUN = (
    update(jobs)
    .where(jobs.c.job_name == bindparam("of_name"), jobs.c.job_id == bindparam("of_id"))
    .values(last_run_id=bindparam("run_id"), last_requested_at=bindparam("at"), last_status=bindparam("run_status"))
)
_SET_LAST_STATUS = (
    update(jobs)
    .where(jobs.c.job_name == bindparam("of_name"), jobs.c.last_run_id == bindparam("of_run"))
    .values(last_status=bindparam("run_status"))
)


class RunProjection:
    """The runs that one transaction changes.

    Args:
        connection: in a transaction.
        events: the events of the batch; the runs and erased jobs that they name are read at once.
    """

    def __init__(self, connection: Connection, events: Iterable[Event]) -> None:
        self._connection = connection
        self._new: set[str] = set()
        self._changed: set[str] = set()
        #: Those of them whose status has changed, or whose slot may have: a mail makes an empty run a delivered one.
        self._moved: set[str] = set()
        self._last_of_job: dict[tuple[str, str], str] = {}
        self._mails = MailProjection(connection)
        self._inputs = InputProjection(connection)
        self._acts: list[dict[str, Any]] = []
        self.load(events)

    def load(self, events: Iterable[Event]) -> None:
        """Read the runs and erased jobs that events name; nothing may be unwritten."""
        of_runs = [event for event in events if isinstance(event, RunEvent)]
        wanted = select(*(runs.c[name] for name in (*_IDENTITY, *_CHANGING))).where(
            runs.c.run_id.in_({str(event.run_id) for event in of_runs})
        )
        gone = select(erased.c.job_name, erased.c.job_id).where(
            erased.c.job_name.in_({event.job_name for event in of_runs})
        )
        self._runs: dict[str, dict[str, Any]] = {}
        self._erased: set[tuple[str, str]] = set()
        if of_runs:
            self._runs = {row["run_id"]: dict(row) for row in self._connection.execute(wanted).mappings()}
            self._erased = {(name, job_id) for name, job_id in self._connection.execute(gone)}
        self._erased_names = {name for name, _ in self._erased}

    def apply(self, event: RunEvent, stored: StoredEvent) -> bool:
        """Apply an event; False if it is about an erased job and must not be in the log."""
        run_id = str(event.run_id)
        now = iso_time(stored.time)
        entry = f'{{"type": "{event.name}", "time": "{now}", "sequence": {stored.sequence}}}'
        run = self._runs.get(run_id)
        status = None
        if run is not None:
            status = run["status"]
            run["timeline"] += "," + entry
            self._changed.add(run_id)
        else:
            known = _identity(event)
            if self._is_erased(event.job_name, None if known is None else known["job_id"]):
                return False
            if known is None or not isinstance(event, RunRequested | RunSkipped):
                # The log has dropped the run's first event, and is about to drop the others.
                return True
            run = dict.fromkeys(_FIXED + _CHANGING) | known
            run |= {"sequence": stored.sequence, "run_id": run_id, "timeline": entry, "mails": "[]", "details": "{}"}
            run["expires_at"] = expires_at(stored)
            self._runs[run_id] = run
            self._new.add(run_id)
            self._last_of_job[event.job_name, known["job_id"]] = run_id
        if (act := act_of(event, stored)) is not None:
            self._acts.append(act)
        run |= _columns(event, now, stored.sequence, status, run["mails"])
        if details := _details(event):
            run["details"] = json.dumps(json.loads(run["details"]) | details, ensure_ascii=False)
        run["status"] = status_after(status, event)
        if run["status"] != status or (isinstance(event, MailEvent) and run["rows"] == 0):
            self._moved.add(run_id)
        if isinstance(event, MailEvent | MailDeferred | MailBounced):
            self._mails.apply(event, stored)
        elif isinstance(event, MailSkipped):
            self._mails.forget_waiting(run_id, event.kind, event.split_value)
        elif isinstance(event, RunSkipped) and event.reason == "deleted":
            self._mails.forget_waiting(run_id, "result")
        elif isinstance(event, InputKept):
            self._inputs.apply(event, stored)
        return True

    def write(self) -> None:
        """Write the runs that changed. An event about a job must find them written."""
        for run_id in self._moved:
            self._runs[run_id]["slot"] = slot_of_run(self._runs[run_id])
        if self._new:
            self._connection.execute(insert(runs), [self._runs[run_id] for run_id in self._new])
        if changed := self._changed - self._new:
            self._connection.execute(_UPDATE, [{"of_run": run_id} | self._changing(run_id) for run_id in changed])
        if moved := self._moved - self._new:
            self._connection.execute(_SET_LAST_STATUS, [self._state(run_id, "of_run") for run_id in moved])
        if self._last_of_job:
            self._connection.execute(
                _SET_LAST_RUN,
                [
                    {"of_id": job_id, "at": self._runs[run_id]["requested_at"] or ""} | self._state(run_id, "run_id")
                    for (_, job_id), run_id in self._last_of_job.items()
                ],
            )
        self._mails.write()
        self._inputs.write()
        add_acts(self._connection, self._acts)
        self._acts.clear()
        self._new.clear()
        self._changed.clear()
        self._moved.clear()
        self._last_of_job.clear()

    def _changing(self, run_id: str) -> dict[str, Any]:
        run = self._runs[run_id]
        return {name: run[name] for name in _CHANGING}

    def _state(self, run_id: str, parameter: str) -> dict[str, Any]:
        run = self._runs[run_id]
        return {"of_name": run["job_name"], parameter: run_id, "run_status": run["status"]}

    def _is_erased(self, job_name: str, job_id: str | None) -> bool:
        """Return whether a run without a row is one of an erased job: a runner or mailer had not finished with it."""
        if job_id is None:
            return job_name in self._erased_names
        return (job_name, job_id) in self._erased


def _identity(event: RunEvent) -> dict[str, Any] | None:
    """Return the columns that identify a run; None if the event does not have them."""
    match event:
        case RunRequested() | ResultReady() | RunFailed():
            job_id, job_version, trigger, late = event.job.job_id, event.job.version, event.trigger, event.late
        case RunSkipped():
            job_id, job_version, trigger, late = event.job_id, event.job_version, "schedule", False
        case _:
            return None
    return {
        "job_name": event.job_name,
        "job_id": str(job_id),
        "job_version": job_version,
        "trigger": trigger,
        "scheduled_at": utc_text(event.scheduled_at),
        "late": int(late),
        "missed": _missed(event),
    }


def _columns(event: RunEvent, now: str, sequence: int, status: str | None, mails: str) -> dict[str, Any]:
    """Return the columns that an event sets beside the status."""
    match event:
        case RunRequested() if status is None:
            return {"requested_at": now}
        case RunStarted():
            return {"started_at": now}
        case RunCancelled() if status not in ENDED:
            return {"finished_at": now}
        case RunSkipped() if status in ENDED:  # its result was not mailed, because the job was deleted
            return {"skipped": _skipped(event), "mails": _not_waiting(mails)} if status == "processed" else {}
        case MailSkipped():
            return {"mails": _not_waiting(mails, event)}
        case RunSkipped():
            return {
                "finished_at": now,
                "skipped": _skipped(event),
                "timings": None if event.timings is None else event.timings.model_dump_json(),
                "outcome_sequence": sequence,
            }
        case ResultReady():
            return {
                "finished_at": now,
                "rows": event.rows,
                "bytes": event.csv.size,
                "timings": event.timings.model_dump_json(),
                "outcome_sequence": sequence,
            }
        case RunFailed():
            return {
                "finished_at": now,
                "error": event.error.model_dump_json(),
                "timings": event.timings.model_dump_json(),
                "outcome_sequence": sequence,
            }
        case MailEvent() | MailDeferred() | MailBounced():
            return {"mails": _merge_mails(mails, event)}
        case _:
            return {}


def _details(event: RunEvent) -> dict[str, Any]:
    """Return what an event says about a run besides its columns; only the answer about one run shows it."""
    match event:
        case RunRequested():
            return {"actor": event.actor}
        case RunStarted():
            return {"runner": event.runner, "attempts": event.attempt}
        case ResultReady():
            return {
                "columns": event.columns,
                "input_sha256": event.input_sha256,
                "more_inputs_sha256": event.more_inputs_sha256,
                "script_sha256": event.script_sha256,
                "result_sha256": event.csv.sha256,
                "runtime": event.runtime.model_dump(),
                "notes": [note.model_dump() for note in event.notes],
                "slices": None if event.split is None else event.split.count,
                "figures": [_figure(figure) for figure in event.figures],
                "changes": event.changes and event.changes.model_dump(mode="json", exclude={"marks"}),
            }
        case RunFailed():
            return {"notes": [note.model_dump() for note in event.notes]}
        case _:
            return {}


def _figure(figure: ResultFigure) -> dict[str, Any]:
    described = figure.model_dump(include={"name", "alt", "width", "height"})
    return described | {"size": figure.blob.size, "sha256": figure.blob.sha256}


def _missed(event: RunEvent) -> str | None:
    if not isinstance(event, RunRequested | RunSkipped) or not event.missed_times:
        return None
    return json.dumps([utc_text(moment) for moment in event.missed_times])


def _skipped(event: RunSkipped) -> str:
    return json.dumps({"reason": event.reason, "detail": event.detail}, ensure_ascii=False)


def _not_waiting(before: str, skipped: MailSkipped | None = None) -> str:
    """Return the mails without those that wait, because they are not sent: all, or those of one skipped mail."""
    kept = [
        mail
        for mail in json.loads(before)
        if mail["outcome"] != "waiting"
        or (skipped and (mail["kind"] != skipped.kind or skipped.split_value not in {None, mail.get("split_value")}))
    ]
    return json.dumps(kept, ensure_ascii=False)


def _merge_mails(before: str, event: MailEvent | MailDeferred | MailBounced) -> str:
    """Return the latest outcome per recipient, kind of mail and slice, as JSON. A mail that bounced stays so."""
    latest = {(mail["kind"], mail["address"], mail.get("split_value")): mail for mail in json.loads(before)}
    of_slice = {} if event.split_value is None else {"split_value": event.split_value}
    for recipient in mails_of(event):
        key = (event.kind, recipient["address"], event.split_value)
        known = latest.get(key, {})
        if known.get("outcome") == "bounced" and known["message_id"] == event.message_id:
            continue
        latest[key] = {"kind": event.kind, **recipient, "message_id": event.message_id, **of_slice}
    return json.dumps(list(latest.values()), ensure_ascii=False)
