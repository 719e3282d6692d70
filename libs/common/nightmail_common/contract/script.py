"""The three forms of a processing script, compiled to one.

A script is a function body with `return df`; or it assigns `result = df`; or it defines `process(data)`. Its
text is parsed unchanged, so line numbers are the user's own.
"""

import ast
from functools import lru_cache
from types import CodeType
from typing import Literal

ScriptForm = Literal["return", "result", "process"]

#: The function whose body is a script with `return`. Its parameters are `INPUTS`, so that a script may assign to them.
BODY_FUNCTION = "__nightmail_body__"

#: The names that a script gets.
INPUTS = ("data", "job_name", "scheduled_at", "pd", "np")
_EMPTY_FUNCTION = ast.parse(f"def {BODY_FUNCTION}({', '.join(INPUTS)}): pass").body[0]
FILENAME = "<script>"

#: The packages that a script may import unless SCRIPT_IMPORTS changes that: pandas and its dependencies, and the modules
#: of the standard library that only compute. An early error for the script's owner; the sandbox is the isolation.
_DEFAULT_IMPORTS = """
    pandas numpy pyarrow dateutil pytz tzdata
    __future__ abc array ast base64 binascii bisect calendar cmath collections colorsys contextlib copy csv dataclasses
    datetime decimal difflib enum fractions functools graphlib hashlib heapq hmac html io itertools json keyword locale
    math numbers operator pprint random re secrets statistics string struct textwrap time timeit traceback types typing
    typing_extensions unicodedata urllib uuid warnings xml zlib zoneinfo
"""
DEFAULT_IMPORTS = frozenset(_DEFAULT_IMPORTS.split())


class ScriptSyntaxError(Exception):
    """The script is not valid Python. `line` counts from 1."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


class ImportNotAllowed(Exception):
    """The script imports a module that is not allowed. `line` counts from 1."""

    def __init__(self, module: str, line: int) -> None:
        super().__init__(f"a script may not import {module!r}; the setting SCRIPT_IMPORTS says what it may")
        self.line = line


# Each run of a job checks the same script.
@lru_cache(maxsize=64)
def check_imports(text: str, allowed: frozenset[str]) -> None:
    """Check that a script imports only allowed top-level packages.

    Raises:
        ImportNotAllowed: it imports another. Invalid Python passes; `compile_script` refuses it.
    """
    try:
        tree = ast.parse(text, FILENAME)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "."]
        else:
            continue
        for module in modules:
            if module.partition(".")[0] not in allowed:
                raise ImportNotAllowed(module, node.lineno)


def compile_script(text: str) -> tuple[CodeType, ScriptForm]:
    """Return the script as code to execute once, and the form it has.

    A script with a `return` outside of any function becomes the body of `BODY_FUNCTION`; otherwise `process` is
    the form if it defines a function of that name, and `result` if it does not.

    Raises:
        ScriptSyntaxError: the text is not a Python script.
    """
    try:
        tree = ast.parse(text, FILENAME)
        form = _form(tree)
        if form == "return":
            tree = _as_function(tree)
        return compile(tree, FILENAME, "exec", dont_inherit=True), form
    except SyntaxError as error:
        raise ScriptSyntaxError(error.msg, error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ScriptSyntaxError(str(error) or "the script is too deeply nested", None) from None


def _form(tree: ast.Module) -> ScriptForm:
    if _returns(tree.body):
        return "return"
    if any(isinstance(node, ast.FunctionDef) and node.name == "process" for node in tree.body):
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


def _as_function(tree: ast.Module) -> ast.Module:
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    body = [node for node in tree.body if node not in future]
    function = ast.FunctionDef(**vars(_EMPTY_FUNCTION) | {"body": body})
    return ast.Module(body=[*future, function], type_ignores=[])
