"""One run, in a process of its own: bytes to DataFrame to script to CSV."""

import builtins
import errno
import io
import os
import resource
import select
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

import numpy
import pandas

from nightmail_common.contract.script import BODY_FUNCTION, INPUTS, ScriptForm, ScriptSyntaxError, compile_script
from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.child import csv_output as writing
from nightmail_runner.sandbox.child import parse_input as reading
from nightmail_runner.sandbox.child.script_error import Blame, blame, plain

#: What a name or value in a message may have at most: a message is for people.
LONGEST_SHOWN = 200
MAX_OPEN_FILES = 64
#: Of all column names together: they go into the event that says how the run ended.
COLUMN_NAMES_CHARACTERS = 32 * 1024
#: Kept back from a run's memory, so that it can still say that it had too little.
LAST_WORDS_BYTES = 32 * 1024**2

#: A fork that nobody needs for so long uses the time to copy the pages that its run will write to, which is most of what a
#: small run takes. Under load it is needed sooner, and copies only what it must.
UNHURRIED_SECONDS = 0.1

OUT_OF_MEMORY = Blame("OutOfMemory", "the run needed more memory than it may have")

_NOTHING = object()


class NotADataFrame(Exception):
    """The script came to an end, but not with a DataFrame."""


@dataclass
class _Warm:
    """What the warm process takes, before any run; a run cannot look any more."""

    address_space_bytes: int = 0


_warm = _Warm()


def warm_up() -> None:
    """Do once what every run does, so that no run pays for a first time. For the fork server, before its walls are up."""
    _practise()
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123
        _warm.address_space_bytes = int(statm.read().split()[0]) * resource.getpagesize()


def _practise() -> None:
    reading.read_json(io.BytesIO(b'[{"a": 1, "b": "x"}]'), None)
    frame = reading.read_csv(io.BytesIO(b"a,b,c\n1,x,\n2,y,1\n"), None, None)
    frame = writing.tabular(frame.groupby("b", as_index=False).sum(), keep_formulas=False)
    writing.write(frame, io.BytesIO())


def run(sock: socket.socket) -> None:
    """Wait for a task, do it, answer. A socket that closes before a task comes ends it: nobody needs this child."""
    numpy.random.seed()  # unlike `random`, it would go on with the numbers that every other run has, too
    if not select.select([sock], [], [], UNHURRIED_SECONDS)[0]:
        _practise()
    received = protocol.receive(sock)
    if received is None:
        return
    task, (source, output) = received
    sys.stdin = io.StringIO()
    printed = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stderr = printed
    answer = _Run(task, source, output).answer()
    with suppress(OSError, ValueError):  # the script has closed it
        printed.flush()
    protocol.send(sock, answer)


class _Run:
    def __init__(self, task: dict[str, Any], source: int, output: int) -> None:
        self._task = task
        self._source = source
        self._output = output
        self._durations: dict[str, float] = {}
        self._since = time.perf_counter()

    def answer(self) -> dict[str, Any]:
        stage = "parse"
        try:
            self._limit()
            data = self._read()
            self._lap("parse_ms")
            stage = "script"
            result = run_script(self._task, data)
            del data
            self._lap("script_ms")
            stage = "output"
            table = writing.tabular(result, keep_formulas=self._task["keep_formulas"])
            del result
            with open(self._output, "wb", closefd=False) as output:
                writing.write(table, output)
            self._lap("output_ms")
            return {
                "rows": len(table),
                "columns": _column_names(table),
                "durations": self._durations,
            }
        except BaseException as error:
            _, most = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            self._lap(f"{stage}_ms")
            return _failure(stage, error, self._task["script"]) | {"durations": self._durations}

    def _limit(self) -> None:
        limits = self._task["limits"]
        # Memory files count where they are mapped, so the input is on top; so is what the warm process began with.
        memory = _warm.address_space_bytes + os.fstat(self._source).st_size + limits["memory_bytes"]
        processor_seconds = int(limits["timeout_seconds"] + 1) * (os.cpu_count() or 1)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory + LAST_WORDS_BYTES))
        for what, most in (
            (resource.RLIMIT_CPU, processor_seconds),
            (resource.RLIMIT_FSIZE, limits["output_bytes"]),
            (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_MEMLOCK, 0),
        ):
            resource.setrlimit(what, (most, most))

    def _read(self) -> "pandas.DataFrame":
        with open(self._source, "rb", closefd=True) as source:  # noqa: PTH123 a descriptor
            source.seek(0)
            if self._task["file_type"] == "csv":
                return reading.read_csv(source, self._task["delimiter"], self._task["encoding"])
            return reading.read_json(source, self._task["records_path"])

    def _lap(self, name: str) -> None:
        now = time.perf_counter()
        self._durations[name] = (now - self._since) * 1000
        self._since = now


def run_script(task: dict[str, Any], data: "pandas.DataFrame") -> "pandas.DataFrame":
    """Execute a script on its data and return the DataFrame that it made.

    Raises:
        ScriptSyntaxError: it is not Python.
        NotADataFrame: it made something else, or nothing.
        BaseException: whatever it raised.
    """
    code, form = compile_script(task["script"])
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    inputs = dict(
        zip(
            INPUTS,
            (data, task["job_name"], datetime.fromisoformat(task["scheduled_at"]), pandas, numpy),
            strict=True,
        )
    )
    module.__dict__.update(inputs, __builtins__=builtins)
    exec(code, module.__dict__)  # noqa: S102 what this process is for
    result = _result(form, module.__dict__, inputs)
    if issubclass(type(result), pandas.DataFrame):  # what it says of its own __class__ does not count
        frame: pandas.DataFrame = result
        return frame
    raise NotADataFrame(_what_came_instead(form, result))


def _result(form: ScriptForm, namespace: dict[str, Any], inputs: dict[str, Any]) -> Any:
    if form == "return":
        return namespace[BODY_FUNCTION](**inputs)
    if form == "process":
        return namespace["process"](inputs["data"])
    return namespace.get("result", _NOTHING)


def _what_came_instead(form: ScriptForm, result: Any) -> str:
    if result is _NOTHING:
        return "the script neither returns a DataFrame nor assigns one to result, nor does it define process(data)"
    how = {"return": "the script returned", "process": "process(data) returned", "result": "result is"}[form]
    if result is None:
        return f"{how} None, not a DataFrame"
    shown = repr(result)
    shown = shown if len(shown) <= LONGEST_SHOWN else shown[:LONGEST_SHOWN] + "..."
    return f"{how} an object of type {type(result).__name__}, not a DataFrame: {shown}"


def _column_names(table: "pandas.DataFrame") -> list[str]:
    """Return the names of the columns, as many as a message can carry."""
    names: list[str] = []
    room = COLUMN_NAMES_CHARACTERS
    for name in table.columns:
        shown = f"{name}"
        room -= str.__len__(shown)
        if room < 0:
            break
        names.append(shown)
    return names


def _failure(stage: str, error: BaseException, script: str) -> dict[str, Any]:
    try:
        return _explained(stage, error, script)
    except BaseException:  # an exception is an object of the script's: whatever we ask it for may raise another
        kind = stage if stage != "parse" else "script"
        return _told(kind, Blame(type.__getattribute__(type(error), "__name__"), "the error cannot be shown"))


def _explained(stage: str, error: BaseException, script: str) -> dict[str, Any]:
    match error:
        case MemoryError():
            return _told("out_of_memory", OUT_OF_MEMORY)
        case pandas.errors.ParserError() if "out of memory" in str(error):
            return _told("out_of_memory", OUT_OF_MEMORY)
        case NotADataFrame():
            return _told("not_a_dataframe", Blame("NotADataFrame", str(error)))
        case ScriptSyntaxError():
            return _told("script", Blame("SyntaxError", str(error), line=error.line))
        case OSError(errno=errno.EFBIG) if stage == "output":
            return _told("output_too_large", Blame("OutputTooLarge", "the CSV is larger than it may be"))
        case _ if stage == "script":
            return _told("script", blame(error, script))
        case _:
            return _told(stage, Blame(type(error).__name__, str(error)))


def _told(kind: str, why: Blame) -> dict[str, Any]:
    return {
        "kind": kind,
        "type": plain(why.type)[:LONGEST_SHOWN],
        "message": plain(why.message),
        "traceback": None if why.traceback is None else plain(why.traceback),
        "line": why.line,
    }
