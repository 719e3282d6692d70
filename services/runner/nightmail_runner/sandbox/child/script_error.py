"""Turns an exception in a worker into a `Failed`, with the script's own frames and none of ours or of pandas."""

import errno
import linecache
import sys
import sysconfig
import traceback
from pathlib import Path

import pandas

import nightmail_common
import nightmail_runner
from nightmail_common.contract.limits import MAX_ERROR_TEXT_CHARS, MAX_ERROR_TYPE_CHARS
from nightmail_common.contract.script import FILENAME, ScriptSyntaxError
from nightmail_runner.sandbox.child.error_hints import hint_for
from nightmail_runner.sandbox.result import Failed, ReportedKind, WorkerStage
from nightmail_runner.sandbox.task import Task

#: The longest name or value in a message.
MAX_SHOWN_CHARS = 200
_CUT = "\n[...]\n"

#: Folders of this machine that a message of an import or a library can name.
_FOLDERS = sorted(
    {
        *(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")),
        f"{Path(nightmail_runner.__file__).parents[1]}",
        f"{Path(nightmail_common.__file__).parents[1]}",
        *({sys.prefix} - {sys.base_prefix}),
    },
    key=len,
    reverse=True,
)


class ResultTooLarge(Exception):
    """The DataFrame has more rows or columns than a result may have."""


class NotADataFrame(Exception):
    """The script ended without a DataFrame."""


def describe_error(stage: WorkerStage, error: BaseException, task: Task) -> Failed:
    """Return the failure that an exception means.

    Args:
        stage: the stage that raised it.
    """
    try:
        return _describe(stage, error, task)
    except BaseException:  # the exception can be an instance of the script's class, whose methods raise in turn
        kind: ReportedKind = stage if stage != "parse" else "script"
        return _failed(kind, type.__getattribute__(type(error), "__name__"), "the error cannot be shown")


def shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARS else text[:MAX_SHOWN_CHARS] + "..."


def _describe(stage: WorkerStage, error: BaseException, task: Task) -> Failed:
    match error:
        case MemoryError():
            message = task.limits.describe_memory(shorten(str(error)))
            return _failed("out_of_memory", "OutOfMemory", message, line=_script_line(error))
        case pandas.errors.ParserError() if "out of memory" in str(error):
            return _failed("out_of_memory", "OutOfMemory", task.limits.describe_memory())
        case NotADataFrame():
            return _failed("not_a_dataframe", "NotADataFrame", str(error))
        case ResultTooLarge():
            return _failed("output_too_large", "OutputTooLarge", str(error))
        case ScriptSyntaxError():
            return _failed("script", "SyntaxError", str(error), line=error.line)
        case OSError(errno=errno.EFBIG) if stage == "output":
            return _failed(
                "output_too_large", "OutputTooLarge", "the file of the result is larger than NIGHTMAIL_MAX_RESULT_BYTES"
            )
        case _ if stage == "script":
            return _describe_script_error(error, task.script)
        case _:
            return _failed(stage, type(error).__name__, str(error))


def _script_line(error: BaseException) -> int | None:
    """Return the script's line that an error comes from. Unlike a formatted traceback, this takes no memory."""
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == FILENAME:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _describe_script_error(error: BaseException, script: str) -> Failed:
    linecache.cache[FILENAME] = (len(script), None, script.splitlines(keepends=True), FILENAME)
    summary = traceback.TracebackException(type(error), error, error.__traceback__, compact=True)
    _keep_own_frames(summary)
    lines = [frame.lineno for frame in summary.stack]
    message = "".join(traceback.format_exception_only(type(error), error)).strip()
    name = _qualified_name(error)
    message = message.removeprefix(f"{name}: ") if message != name else ""
    try:
        hint = hint_for(error)
    except Exception:  # objects of the script can raise anything; the error itself is still shown
        hint = None
    if hint is not None:
        message = f"{message}: {hint}" if message and not isinstance(error, SystemExit) else hint
    return _failed("script", type(error).__name__, message, "".join(summary.format()), lines[-1] if lines else None)


def _keep_own_frames(summary: traceback.TracebackException) -> None:
    pending: list[traceback.TracebackException] = [summary]
    while pending:
        current = pending.pop()
        own = [frame for frame in current.stack if frame.filename == FILENAME]
        current.stack = traceback.StackSummary.from_list(own)
        # An exception that pandas caught and replaced says nothing about the script.
        if current.__context__ is not None and current.__cause__ is None and not _has_own_frame(current.__context__):
            current.__context__ = None
        if current.__cause__ is not None and not _has_own_frame(current.__cause__):
            current.__cause__ = None
            current.__suppress_context__ = True
        pending.extend(chained for chained in (current.__cause__, current.__context__) if chained is not None)
        pending.extend(current.exceptions or ())


def _has_own_frame(summary: traceback.TracebackException) -> bool:
    return any(frame.filename == FILENAME for frame in summary.stack)


def _qualified_name(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__ if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}.{kind.__qualname__}"
    )


def _failed(
    kind: ReportedKind, name: str, message: str, traceback_text: str | None = None, line: int | None = None
) -> Failed:
    return Failed(
        kind,
        printable(name)[:MAX_ERROR_TYPE_CHARS],
        printable(message),
        None if traceback_text is None else printable(traceback_text),
        line,
    )


def printable(text: str) -> str:
    """Return text that every consumer of an event can hold: shortened, without our folders, surrogates and NUL."""
    for folder in _FOLDERS:
        text = text.replace(f"{folder}/", "")
    text = _shorten_text(text).encode("utf-8", "backslashreplace").decode()
    return _shorten_text(text.replace("\0", "\N{SYMBOL FOR NULL}"))


def _shorten_text(text: str) -> str:
    half = (MAX_ERROR_TEXT_CHARS - len(_CUT)) // 2
    return text if len(text) <= MAX_ERROR_TEXT_CHARS else f"{text[:half]}{_CUT}{text[-half:]}"
