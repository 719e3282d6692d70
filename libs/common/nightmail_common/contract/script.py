"""The three forms of a processing script, compiled to one.

A script is a function body with `return df`; or it assigns `result = df`; or it defines `process(data)`. Its
text is parsed unchanged, so line numbers are the user's own.
"""

import ast
import re
import sys
from types import CodeType
from typing import Literal

from nightmail_common.contract.limits import MAX_DOTTED_NAME_PARTS, MAX_QUICK_FINALLY, MAX_QUICK_SCRIPT_BYTES
from nightmail_common.contract.script_body import bound_names, compile_body

ScriptForm = Literal["return", "result", "process"]

#: The names that a script gets.
INPUTS = ("data", "sources", "job_name", "scheduled_at", "skip", "pd", "np")
#: The last delivered result, which only a script that names it gets.
PREVIOUS = "previous"
FILENAME = "<script>"

#: The packages that a script may import; SCRIPT_IMPORTS adds others. They are pandas and its dependencies, matplotlib, and
#: the modules of the standard library that only compute. An early error for the script's owner; the sandbox is the isolation.
_DEFAULT_IMPORTS = """
    pandas numpy pyarrow dateutil pytz tzdata matplotlib mpl_toolkits
    __future__ abc array ast base64 binascii bisect calendar cmath collections colorsys contextlib copy csv dataclasses
    datetime decimal difflib enum fractions functools graphlib hashlib heapq hmac html io itertools json keyword locale
    math numbers operator pprint random re secrets statistics string struct textwrap time timeit traceback types typing
    typing_extensions unicodedata urllib uuid warnings xml zlib zoneinfo
"""
DEFAULT_IMPORTS = frozenset(_DEFAULT_IMPORTS.split())


#: Modules that reach out of the sandbox, and what a job has instead.
_WAYS_OUT = {
    **dict.fromkeys(
        ("requests", "httpx", "urllib3", "aiohttp", "socket", "ssl", "http", "ftplib", "boto3"),
        "a script has no network; name the address as the job's data_source",
    ),
    **dict.fromkeys(
        ("sqlalchemy", "sqlite3", "psycopg", "psycopg2", "pymysql", "duckdb"),
        "a script has no network and no files; name the data as the job's data_source",
    ),
    **dict.fromkeys(
        ("os", "pathlib", "shutil", "glob", "tempfile"),
        "a script has no files; return the DataFrame, and Nightmail mails it",
    ),
    **dict.fromkeys(("smtplib", "email"), "return the DataFrame, and Nightmail mails it to the job's recipients"),
    **dict.fromkeys(("sys",), "a script ends with its last line or with return, and print writes to the run's log"),
    **dict.fromkeys(("subprocess", "multiprocessing"), "a script starts no processes"),
}
_WHY = "scripts run in a sandbox without network, files and processes, and import only what computes"


#: Linear: no part of it can match in two ways (possessive quantifiers).
_LONG_DOTTED_NAME = re.compile(rf"(?<!\w)(?:\w++[\s\\]*+\.[\s\\]*+){{{MAX_DOTTED_NAME_PARTS}}}")


class ScriptSyntaxError(Exception):
    """The script is not valid Python. `line` counts from 1."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


class ImportNotAllowed(Exception):
    """The script imports a module that is not allowed. `line` counts from 1, `package` is the module's first part."""

    def __init__(self, module: str, line: int, allowed: frozenset[str]) -> None:
        self.package = module.partition(".")[0]
        reason = _WAYS_OUT.get(self.package, _WHY)
        super().__init__(
            f"a script may not import {module!r}: {reason}. It may import {', '.join(sorted(allowed, key=str.lower))}"
            " (the setting NIGHTMAIL_SCRIPT_IMPORTS adds others)"
        )
        self.line = line


def is_known_module(package: str) -> bool:
    """Return whether a package that a script may not import exists, so that its name is no misspelt other one."""
    return package in _WAYS_OUT or package in sys.stdlib_module_names


def check_imports(text: str, allowed: frozenset[str]) -> None:
    """Check that a script imports only allowed top-level packages.

    Raises:
        ImportNotAllowed: it imports another. Invalid Python passes; `compile_script` refuses it.
    """
    for node in syntax_nodes(text):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "."]
        else:
            continue
        for module in modules:
            if module.partition(".")[0] not in allowed:
                raise ImportNotAllowed(module, node.lineno, allowed)


def reads_previous(text: str) -> bool:
    """Return whether a script names `previous`. Invalid Python does not."""
    return PREVIOUS in text and any(
        isinstance(node, ast.Name) and node.id == PREVIOUS and isinstance(node.ctx, ast.Load)
        for node in syntax_nodes(text)
    )


def compile_script(text: str) -> tuple[CodeType, ScriptForm]:
    """Return the script as code to evaluate once in the namespace of a module, and the form it has.

    The code of a script with a `return` outside of any function evaluates to what it returns (`compile_body`).
    Otherwise `result` is the form if the script assigns that name, `process` if it defines a function of that name, and
    `result` if it does neither.

    Raises:
        ScriptSyntaxError: the text is not a Python script.
    """
    try:
        tree = parse_script(text)
        form = _form(tree)
        if form == "return":
            return compile_body(tree, FILENAME), form
        return compile(tree, FILENAME, "exec", dont_inherit=True), form
    except SyntaxError as error:
        raise ScriptSyntaxError(error.msg, error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ScriptSyntaxError(str(error) or "the script is too deeply nested", None) from None


def is_quick_to_compile(text: str) -> bool:
    """Return whether a script is compiled within some milliseconds, so that an event loop can do it."""
    return len(text.encode()) <= MAX_QUICK_SCRIPT_BYTES and text.count("finally") <= MAX_QUICK_FINALLY


def is_blank(text: str) -> bool:
    """Return whether a script has no statement: nothing but space and comments."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def syntax_nodes(text: str) -> list[ast.AST]:
    """Return every node of a script's syntax tree; none if the text is no Python, or too deeply nested."""
    try:
        return list(ast.walk(parse_script(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def parse_script(text: str) -> ast.Module:
    """Return the syntax tree of a script.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: the text is no Python, or too deeply nested.
    """
    if (found := _LONG_DOTTED_NAME.search(text)) is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise SyntaxError(f"a dotted name has more than {MAX_DOTTED_NAME_PARTS} parts", (FILENAME, line, None, None))
    return ast.parse(text, FILENAME)


def _form(tree: ast.Module) -> ScriptForm:
    if _returns(tree.body):
        return "return"
    defines = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    others = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    if "process" in defines and "result" not in bound_names(others):
        return "process"
    return "result"


def _returns(statements: list[ast.stmt]) -> bool:
    pending: list[ast.AST] = list(statements)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))
    return False
