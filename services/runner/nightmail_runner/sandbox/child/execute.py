"""One run, in a worker process: bytes to DataFrame to script to CSV."""

import builtins
import codecs
import faulthandler
import hashlib
import io
import mmap
import os
import random
import re
import resource
import select
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import numpy
import pandas

from nightmail_common.contract.limits import (
    MAX_COLUMN_NAMES_JSON_BYTES,
    MAX_NOTE_CHARS,
    MAX_NOTES,
    MAX_NOTES_JSON_BYTES,
    MAX_REASON_CHARS,
)
from nightmail_common.contract.script import INPUTS, PREVIOUS, ScriptForm, compile_script
from nightmail_common.contract.source_types import MAIN_SOURCE, of_source
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.parsing.parse_input import parse_input
from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.child import csv_output, xlsx_output
from nightmail_runner.sandbox.child.compare_results import compare_with_previous
from nightmail_runner.sandbox.child.error_hints import hint_for_result, hint_without_result
from nightmail_runner.sandbox.child.local_time import find_zone_files, set_local_zone
from nightmail_runner.sandbox.child.report_table import note_dropped_labels, text_columns, to_table
from nightmail_runner.sandbox.child.script_error import (
    NotADataFrame,
    ResultTooLarge,
    describe_error,
    printable,
    shorten,
)
from nightmail_runner.sandbox.child.source_tables import Sources
from nightmail_runner.sandbox.child.split_result import split_result
from nightmail_runner.sandbox.child.xlsx_cells import note_cut_times
from nightmail_runner.sandbox.result import (
    ChangeCounts,
    DrawnFigure,
    SandboxResult,
    Skipped,
    Succeeded,
    WorkerStage,
    fitting,
)
from nightmail_runner.sandbox.task import Limits, Task

MAX_OPEN_FILES = 64
#: Reserved from a run's memory, so that a worker that is out of memory can still report it.
REPORT_MEMORY_BYTES = 32 * 1024**2

#: A worker that waits for its task this long prewarms itself: it copies the pages that its run will write to, which is
#: most of what a small run takes. Under load the task comes sooner, and only the needed pages are copied.
IDLE_SECONDS = 0.1

#: So often the fork server runs every code path: Python rewrites code that has run a few times, and would do it in each worker.
PREWARM_ROUNDS = 20
#: In every script that can draw random numbers: it names `random` or pandas' `sample`, or imports what does.
_MAY_DRAW = re.compile("random|sample|import")

_UNSET = object()

#: Address space of the prewarmed fork server, in bytes. A worker cannot read it: /proc is not accessible.
_baseline_bytes = 0


def prewarm_fork_server(*, charts: bool) -> None:
    """Run every code path once, so that no run pays for first use. Call it before the isolation layers are installed.

    Args:
        charts: whether its workers draw charts; those of others cannot import matplotlib.
    """
    global _baseline_bytes
    find_zone_files()
    if charts:
        from nightmail_runner.sandbox.child.chart_setup import set_up_charts  # imports matplotlib

        set_up_charts()
    else:
        # Its import in a worker would take a second and fail, and the runner would not show the figures.
        sys.modules["matplotlib"] = None  # type: ignore[assignment]
    for _ in range(PREWARM_ROUNDS):
        _prewarm()
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123
        _baseline_bytes = int(statm.read().split()[0]) * resource.getpagesize()


def _prewarm() -> None:
    parse_input(memoryview(b'[{"a": 1, "b": "x"}]'), ReadOptions("json"))
    data = parse_input(memoryview(b"a,b,c\n1,x,\n2,y,1.5\n"), ReadOptions("csv")).frame
    task = Task("return data.groupby('b', as_index=False).sum()", ReadOptions("csv"), "prewarm", datetime.now(UTC))
    sources = Sources()
    sources[MAIN_SOURCE] = data
    frame = csv_output.prepare_for_csv(run_script(task, sources), keep_formulas=False)
    csv_output.write(frame, io.BytesIO())


def serve_task(sock: socket.socket) -> bool:
    """Wait for a task, execute it, send the answer. Return False if the socket closes before a task comes."""
    if not select.select([sock], [], [], IDLE_SECONDS)[0]:
        _prewarm()
    received = protocol.receive(sock)
    if received is None:
        return False
    message, files = received
    faulthandler.register(protocol.STACK_SIGNAL, sock.fileno(), all_threads=False)
    sys.stdin = io.StringIO()
    stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stderr = stdout
    result = _Run(Task.from_json(message), files).result()
    with suppress(OSError, ValueError):  # the script has closed it
        stdout.flush()
    protocol.send(sock, asdict(result))
    return True


class RunSkip(BaseException):
    """The script has called `skip`. It is no Exception, so that `except Exception` in the script does not catch it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def skip(reason: object = "") -> NoReturn:
    """End the run without a result and without mail."""
    raise RunSkip(f"{reason}".strip() or "the script gave no reason")


class _Run:
    def __init__(self, task: Task, files: list[int]) -> None:
        self._task = task
        self._sources = {MAIN_SOURCE: files.pop(0)} | {name: files.pop(0) for name in task.more}
        self._previous = files.pop(0) if task.previous else -1
        self._outputs = files
        self._timings: dict[WorkerStage, float] = {}
        self._notes: tuple[str, ...] = ()
        self._parsing = MAIN_SOURCE
        self._lap_started = time.perf_counter()

    def result(self) -> SandboxResult:
        stage: WorkerStage = "parse"
        try:
            self._set_limits()
            sources = self._parse()
            self._record(stage)
            stage = "script"
            previous = self._parse_previous()
            rows = sum(map(len, sources.values())) + (0 if previous is None else len(previous))
            result = run_script(self._task, sources, previous)
            del sources, previous
            self._record(stage)
            stage = "output"
            _check_size(result, self._task.limits)
            table, dropped = to_table(result), note_dropped_labels(result, rows)
            del result
            _check_size(table, self._task.limits)  # labels have become columns
            written = self._write(table)
            changes, note = self._compare()
            self._record(stage)
            notes = [*self._notes, *written.output_notes, *dropped, *([note] if note else [])]
            return replace(
                written,
                timings=self._timings,
                notes=self._notes,
                output_notes=_shorten_notes(notes)[len(self._notes) :],
                changes=changes,
            )
        except RunSkip as skipped:
            self._record(stage)
            return Skipped(printable(skipped.reason)[:MAX_REASON_CHARS], self._timings, self._notes)
        except BaseException as error:
            _, hard_limit = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (hard_limit, hard_limit))
            self._record(stage)
            failed = describe_error(stage, error, self._task)
            if stage == "parse":
                failed = replace(failed, message=printable(of_source(self._parsing, failed.message)))
            return replace(failed, timings=self._timings, notes=self._notes)

    def _set_limits(self) -> None:
        limits = self._task.limits
        # RLIMIT_AS counts the fork server's memory and mapped inputs, too.
        mapped = sum(os.fstat(file).st_size for file in (*self._sources.values(), self._previous) if file >= 0)
        memory = _baseline_bytes + mapped + limits.memory_bytes
        processor_seconds = int(limits.timeout_seconds + 1) * (os.cpu_count() or 1)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory + REPORT_MEMORY_BYTES))
        for limited, limit in (
            (resource.RLIMIT_CPU, processor_seconds),
            (resource.RLIMIT_FSIZE, limits.output_bytes),
            (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_MEMLOCK, 0),
        ):
            resource.setrlimit(limited, (limit, limit))

    def _parse(self) -> Sources:
        """Return the rows of each source by its name."""
        tables = Sources()
        notes: list[str] = []
        for name, file in self._sources.items():
            self._parsing = name
            data = _map(file)
            os.close(file)
            table = parse_input(data, self._task.more.get(name, self._task.read))
            notes += [of_source(name, note) for note in table.notes]
            tables[name] = table.frame
        self._notes = _shorten_notes(notes)
        return tables

    def _parse_previous(self) -> pandas.DataFrame | None:
        """Return the last delivered result as its own CSV says, by the rules for every source."""
        written = self._task.previous
        if written is None or not self._task.reads_previous:
            return None
        data = _map(self._previous)
        if not bytes(data[: len(codecs.BOM_UTF8) + 1]).removeprefix(codecs.BOM_UTF8).strip():
            return pandas.DataFrame()  # it has no columns
        options = ReadOptions(
            "csv", delimiter=written.delimiter, decimal=written.decimal, encoding="utf-8-sig", own=True
        )
        return parse_input(data, options).frame

    def _compare(self) -> tuple[ChangeCounts | None, str]:
        if not self._task.compare_by:
            return None, ""
        with open(self._outputs[0], "rb", closefd=False) as result:
            if self._previous < 0:
                return compare_with_previous(self._task, result, None)
            with open(self._previous, "rb", closefd=False) as previous:
                return compare_with_previous(self._task, result, previous)

    def _write(self, table: pandas.DataFrame) -> Succeeded:
        """Write the files of the result; return their description for the answer."""
        for output in self._outputs:
            os.ftruncate(output, 0)  # the script may have written to it
            os.lseek(output, 0, os.SEEK_SET)
        csv, *others = self._outputs
        figures, notes = _write_figures(others.pop()) if self._task.figures else ((), [])
        slices = others.pop() if self._task.split is not None else -1
        if self._task.xlsx:
            with open(others.pop(), "wb", closefd=False) as file:
                xlsx_output.write(table, file)
            notes += note_cut_times(table)
        of_text = text_columns(table)
        shown = csv_output.prepare_for_csv(table, keep_formulas=self._task.keep_formulas, options=self._task.csv)
        with open(csv, "w+b", closefd=False) as file:
            csv_output.write(shown, file, self._task.csv)
        index_bytes = 0
        if self._task.split is not None:
            with open(slices, "wb", closefd=False) as file:
                index_bytes = split_result(self._task, self._task.split, table, shown, file)
        output_notes = _shorten_notes([*self._notes, *notes])[len(self._notes) :]
        return Succeeded(
            len(shown),
            fitting((f"{column}" for column in shown.columns), MAX_COLUMN_NAMES_JSON_BYTES),
            of_text,
            output_notes=output_notes,
            figures=figures,
            slice_index_bytes=index_bytes,
        )

    def _record(self, stage: WorkerStage) -> None:
        now = time.perf_counter()
        self._timings[stage] = (now - self._lap_started) * 1000
        self._lap_started = now


def _map(file: int) -> memoryview:
    return memoryview(mmap.mmap(file, 0, access=mmap.ACCESS_READ) if os.fstat(file).st_size else b"")


def run_script(
    task: Task, sources: Sources, previous: pandas.DataFrame | None = None
) -> pandas.DataFrame | pandas.Series:
    """Execute a script on its data and return its DataFrame or Series.

    Args:
        sources: the rows of each source by its name, those of `data` among them.
        previous: the last delivered result, for a script that names it.

    Raises:
        ScriptSyntaxError: the script is not Python.
        NotADataFrame: the script ended with something else, or with nothing.
        RunSkip: the script called `skip`.
        BaseException: whatever the script raises.
    """
    code, form = compile_script(task.script)
    if task.timezone != "UTC":
        set_local_zone(task.timezone)
    if _MAY_DRAW.search(task.script):
        _seed(task.seed)
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    data = sources[MAIN_SOURCE]
    inputs = dict(zip(INPUTS, (data, sources, task.job_name, task.scheduled_at, skip, pandas, numpy), strict=True))
    if "scheduled_at" in task.script:
        inputs["scheduled_at"] = task.scheduled_at.astimezone(ZoneInfo(task.timezone))
    else:  # to load a time zone takes longer than many a script
        del inputs["scheduled_at"]
    if task.reads_previous:
        inputs[PREVIOUS] = previous
    module.__dict__.update(inputs, __builtins__=builtins)
    returned = eval(code, module.__dict__)  # noqa: S307 what this process is for
    result = returned if form == "return" else _result(form, module.__dict__, data)
    if issubclass(type(result), pandas.DataFrame | pandas.Series):  # not isinstance: a script can override __class__
        table: pandas.DataFrame | pandas.Series = result
        return table
    raise NotADataFrame(_describe_result(form, result, task.script))


def _seed(text: str) -> None:
    """Seed `random` and `numpy.random`, so that a run on the same input for the same due time draws the same numbers."""
    digest = hashlib.sha256(text.encode()).digest()
    random.seed(digest)
    numpy.random.seed(numpy.frombuffer(digest, dtype="<u4"))


def _result(form: ScriptForm, namespace: dict[str, Any], data: pandas.DataFrame) -> Any:
    if form == "process":
        return namespace["process"](data)
    return namespace.get("result", _UNSET)


def _describe_result(form: ScriptForm, result: Any, script: str) -> str:
    if result is _UNSET:
        missing = "the script neither returns a DataFrame nor assigns one to result, nor does it define process(data)"
        return missing + hint_without_result(script)
    origin = {"return": "the script returned", "process": "process(data) returned", "result": "result is"}[form]
    if result is None:
        return f"{origin} None, not a DataFrame"
    shown = f"{origin} an object of type {type(result).__name__}, not a DataFrame: {shorten(repr(result))}"
    return shown + hint_for_result(result)


def _check_size(result: pandas.DataFrame | pandas.Series, limits: Limits) -> None:
    rows, columns = (*result.shape, 1)[:2]
    if rows > limits.rows:
        raise ResultTooLarge(f"the result has {rows} rows; at most {limits.rows} are allowed (NIGHTMAIL_MAX_ROWS)")
    if columns > limits.columns:
        raise ResultTooLarge(
            f"the result has {columns} columns; at most {limits.columns} are allowed (NIGHTMAIL_MAX_COLUMNS)"
        )


def _write_figures(output: int) -> tuple[tuple[DrawnFigure, ...], list[str]]:
    from nightmail_runner.sandbox.child import figure_backend, figure_output  # imported in advance, with matplotlib

    with open(output, "wb", closefd=False) as file:
        return figure_output.write_figures(figure_backend.DRAWN.drawn(), file)


def _shorten_notes(notes: list[str]) -> tuple[str, ...]:
    """Return the notes that an event can hold; the last one counts the others."""
    kept = [note if len(note) <= MAX_NOTE_CHARS else f"{note[: MAX_NOTE_CHARS - 3]}..." for note in notes[:MAX_NOTES]]
    if len(notes) > MAX_NOTES:
        kept[-1] = f"and {len(notes) - MAX_NOTES + 1} more notes"
    return fitting(kept, MAX_NOTES_JSON_BYTES)
