"""What a script's owner needs next after an error: the columns that exist, the nearest name, the way out."""

import ast
import difflib
import re
from collections.abc import Hashable, Iterator
from types import FrameType

import pandas

from nightmail_common.contract.script import FILENAME, INPUTS, parse_script

#: The most names in one hint, and the longest name.
MAX_NAMES, MAX_NAME_CHARS = 40, 60

_NO_EXIT = (
    "a script does not exit: it ends with `return` and a DataFrame, or with `skip('the reason')`, which sends no mail"
)
_NO_NETWORK = (
    "a script has no network: name the address as the job's data_source, and the script gets its rows as `data`"
)
_NO_FILES = (
    "a script has no files: it gets the job's data_source as `data`, and Nightmail writes and mails the DataFrame that"
    " it returns (`return data`)"
)
_NOT_PERMITTED = "a script has no network and starts no processes: its input is `data`, its output is what it returns"
_NOT_INSTALLED = (
    "a script can use only packages that are installed beside the runner; the setting NIGHTMAIL_SCRIPT_IMPORTS names those that"
    " an operator has added"
)
_NO_INPUT = "nobody is there to answer a script: its input is `data`"
_NO_SAVEFIG = "leave savefig out: Nightmail mails the figures that a script draws"
_NO_CHARTS = (
    "a script draws charts only if its text says so: write `import matplotlib` or `.plot` into it; a name that is made"
    " while it runs does not count"
)
_NETWORK_ERRORS = frozenset({"URLError", "gaierror", "HTTPException"})

#: How to convert a returned value to a DataFrame, by its type.
_WAYS_TO_A_TABLE = {
    "Styler": "return the table itself: `.data`",
    "DataFrameGroupBy": "end it with what is to be counted, such as `.sum()`",
    "SeriesGroupBy": "end it with what is to be counted, such as `.sum()`",
    **dict.fromkeys(("list", "dict", "ndarray"), "`pd.DataFrame(...)` makes one of it"),
    "tuple": "return one of them, or `pd.concat([...])`",
    "method": "call it: `()`",
    "builtin_function_or_method": "call it: `()`",
}

#: What pandas has in place of a method or property that it has removed.
_REPLACED = {
    "append": "pandas has no append any more: write `pd.concat([data, other])`",
    "ix": "pandas has no ix any more: write `.loc[...]` for labels and `.iloc[...]` for positions",
    "iteritems": "pandas has no iteritems any more: write `.items()`",
    "applymap": "pandas has no applymap any more: write `.map(...)`",
    "as_matrix": "pandas has no as_matrix any more: write `.to_numpy()`",
    "get_value": "pandas has no get_value any more: write `.at[row, column]`",
    "set_value": "pandas has no set_value any more: write `.at[row, column] = value`",
    "sort": "pandas has no sort: write `.sort_values('column')`",
}

_QUOTED = re.compile(r"'([^']+)'")
_NO_ATTRIBUTE = re.compile(r"'(?:DataFrame|Series|DataFrameGroupBy)' object has no attribute '(.+)'")


def hint_for_result(result: object) -> str:
    """Return a hint how to convert the returned value to a DataFrame, after a separator; empty if there is none."""
    way = _WAYS_TO_A_TABLE.get(type(result).__name__)
    return f"; {way}" if way else ""


def hint_without_result(script: str) -> str:
    """Return a hint how the last statement of a script can return a value; empty if there is none."""
    try:
        statements = parse_script(script).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    match statements[-1:]:
        case [ast.Expr(value=ast.Call(func=ast.Name(id="print")))]:
            return "; print writes to the run's log: end the script with `return` and the DataFrame"
        case [ast.Expr(lineno=line)]:
            return f"; write `return` before its last expression, in line {line}"
        case [ast.Assign(targets=[ast.Name(id=name)])]:
            return f"; write `return {name[:MAX_NAME_CHARS]}` as its last line"
    return ""


def hint_for(error: BaseException) -> str | None:
    """Return a hint how to correct a script's error; None if the error is clear."""
    match error:
        case SystemExit():
            return _NO_EXIT
        case ImportError() if "matplotlib" in str(error):
            return _NO_CHARTS
        case ModuleNotFoundError() | ImportError(name=None):
            return _NOT_INSTALLED
        case OSError():
            return _about_the_sandbox(error)
        case NameError(name=str() as name):
            return _about_variables(name, error)
        case EOFError() if "EOF when reading a line" in str(error):
            return _NO_INPUT
        case KeyError() | AttributeError() | pandas.errors.UndefinedVariableError():
            return _about_names(error)
    return None


def _about_the_sandbox(error: OSError) -> str | None:
    if not _NETWORK_ERRORS.isdisjoint(kind.__name__ for kind in type(error).__mro__):
        return _NO_NETWORK
    if error.errno is None:  # the script has raised it
        return None
    if any(frame.f_code.co_name == "savefig" for frame in _called_by_script(error)):
        return _NO_SAVEFIG
    return _NOT_PERMITTED if error.filename is None else _NO_FILES


def _about_variables(name: str, error: BaseException) -> str:
    """Return the names that a script can use: those that resemble the unknown one, or else all that it is given."""
    if name in INPUTS:
        return "the script has deleted it"
    names: dict[str, None] = dict.fromkeys(INPUTS)
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == FILENAME:
            names |= dict.fromkeys(map(str, [*step.tb_frame.f_locals, *step.tb_frame.f_globals]))
        step = step.tb_next
    nearest = _nearest(name, [known for known in names if known != name and not known.startswith("_")])
    return f"did you mean {nearest!r}?" if nearest is not None else f"a script gets {', '.join(INPUTS)}"


def _about_names(error: BaseException) -> str | None:
    found = _searched(error)
    if found is None:
        return None
    kind, labels = found
    names = [f"{label}" for label in labels]
    missing = [name for name in _missing_names(error) if name not in names]
    if isinstance(error, AttributeError) and missing and missing[0] in _REPLACED:
        return _REPLACED[missing[0]]
    if not missing or not names:
        return None
    nearest = _nearest(missing[0], names)
    return f"the {kind} are: {list_names(names)}" + (f"; did you mean {nearest!r}?" if nearest is not None else "")


def list_names(names: list[str]) -> str:
    """Return the first names in a list, and how many more there are."""
    shown = ", ".join(name[:MAX_NAME_CHARS] for name in names[:MAX_NAMES])
    return f"{shown} and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else shown


def _missing_names(error: BaseException) -> list[str]:
    text = f"{error.args[0]}" if error.args else ""
    if isinstance(error, AttributeError):
        return _NO_ATTRIBUTE.findall(text)
    return _QUOTED.findall(text) or [text]


def _nearest(name: str, names: list[str]) -> str | None:
    """Return the name that differs least, without regard to case and to space around it."""
    by_folded = {other.strip().casefold(): other for other in reversed(names)}
    matches = difflib.get_close_matches(name.strip().casefold(), by_folded, n=1)
    return by_folded[matches[0]] if matches else None


def _searched(error: BaseException) -> tuple[str, list[Hashable]] | None:
    """Return what pandas has searched for a name, from the frames that the script's last line has called."""
    found: tuple[str, list[Hashable]] | None = None
    for frame in _called_by_script(error):
        table = _table_of(frame)
        if isinstance(table, pandas.DataFrame) and not _searches_rows(frame):
            found = ("columns", list(table.columns))
        elif isinstance(table, pandas.DataFrame | pandas.Series):
            found = ("labels", list(table.index[: MAX_NAMES * 25]))
        if _searches_rows(frame):
            break
    return found


def _table_of(frame: FrameType) -> object:
    own = frame.f_locals.get("self")
    if own is None or isinstance(own, pandas.DataFrame | pandas.Series):
        return frame.f_locals.get("obj") if own is None else own
    try:
        return object.__getattribute__(own, "obj")  # of a groupby or an indexer
    except AttributeError:
        return None


def _called_by_script(error: BaseException) -> Iterator[FrameType]:
    called: list[FrameType] = []
    step = error.__traceback__
    while step is not None:
        called = [] if step.tb_frame.f_code.co_filename == FILENAME else [*called, step.tb_frame]
        step = step.tb_next
    return iter(called)


def _searches_rows(frame: FrameType) -> bool:
    return frame.f_code.co_name == "xs" and frame.f_locals.get("axis") == 0
