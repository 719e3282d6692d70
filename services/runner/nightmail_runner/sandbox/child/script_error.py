"""Whose line it was: an exception of a user's script, told without our frames and pandas'."""

import linecache
import traceback
from dataclasses import dataclass

from nightmail_common.contract.script import BODY_FUNCTION, FILENAME

#: Of a message or traceback. A script can raise an exception with a text of any length.
LONGEST_TEXT = 16_384


@dataclass(frozen=True)
class Blame:
    """An error in the words of the script's owner; `line` counts from 1 in the script's text."""

    type: str
    message: str
    traceback: str | None = None
    line: int | None = None


def blame(error: BaseException, script: str) -> Blame:
    """Return what a script's owner needs to know about what it raised: their own frames, with their own lines."""
    linecache.cache[FILENAME] = (len(script), None, script.splitlines(keepends=True), FILENAME)
    told = traceback.TracebackException(type(error), error, error.__traceback__, compact=True)
    _keep_own_frames(told)
    lines = [frame.lineno for frame in told.stack]
    message = "".join(traceback.format_exception_only(type(error), error)).strip()
    return Blame(
        type=type(error).__name__,
        message=_cut(message.removeprefix(f"{_qualified(error)}: ") if message != _qualified(error) else ""),
        traceback=_cut("".join(told.format())),
        line=lines[-1] if lines else None,
    )


def _keep_own_frames(told: traceback.TracebackException) -> None:
    pending: list[traceback.TracebackException] = [told]
    while pending:
        one = pending.pop()
        own = [frame for frame in one.stack if frame.filename == FILENAME]
        for frame in own:
            if frame.name == BODY_FUNCTION:
                frame.name = "<module>"
        one.stack = traceback.StackSummary.from_list(own)
        # What pandas caught and raised anew is its own business.
        if one.__context__ is not None and one.__cause__ is None and not _has_own_frame(one.__context__):
            one.__context__ = None
        if one.__cause__ is not None and not _has_own_frame(one.__cause__):
            one.__cause__ = None
            one.__suppress_context__ = True
        pending.extend(next_one for next_one in (one.__cause__, one.__context__) if next_one is not None)


def _has_own_frame(told: traceback.TracebackException) -> bool:
    return any(frame.filename == FILENAME for frame in told.stack)


def _qualified(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__ if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}.{kind.__qualname__}"
    )


def plain(text: str) -> str:
    """Return text as every consumer of an event can hold it: short enough, without surrogates and NUL."""
    text = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\N{SYMBOL FOR NULL}")
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT // 2] + "\n[...]\n" + text[-LONGEST_TEXT // 2 :]
