"""The three forms of a script, what it may import, and that every line number is the user's own."""

import sys
import time
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightmail_common.contract.script import (
    DEFAULT_IMPORTS,
    FILENAME,
    INPUTS,
    ImportNotAllowed,
    ScriptSyntaxError,
    check_imports,
    compile_script,
    is_blank,
    reads_previous,
)
from support.deadlines import scaled


def result_of(text: str, data: Any = 20) -> Any:
    """Return what a script makes of its data, run as the runner does."""
    code, form = compile_script(text)
    names: dict[str, Any] = dict.fromkeys(INPUTS) | {"data": data}
    returned = eval(code, names)  # noqa: S307 - what the module under test is for
    match form:
        case "return":
            return returned
        case "process":
            return names["process"](data)
        case "result":
            return names["result"]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("return data + 1", "return"),
        ("if data:\n    return data + 1\nreturn 0", "return"),
        ("for n in range(3):\n    try:\n        return data + 1\n    finally:\n        pass", "return"),
        ("def more(x):\n    return x + 1\nreturn more(data)", "return"),
        ("from __future__ import annotations\ndata: No = data + 1\nreturn data", "return"),
        ("'''What it is for.'''\nfrom __future__ import annotations\nreturn data + 1", "return"),
        ("def process(data):\n    return data + 1\nreturn process(data)", "return"),
        ("result = data + 1", "result"),
        ("def more(x):\n    return x + 1\nresult = more(data)", "result"),
        ("class More:\n    def one(self):\n        return data + 1\nresult = More().one()", "result"),
        ("result = (lambda: data + 1)()", "result"),
        ("def process(data):\n    return data + 1", "process"),
        ("more = 1\ndef process(data):\n    return data + more", "process"),
        ("def process(x):\n    return x * 2\nresult = process(data) - 19", "result"),
        ("def result(x):\n    return x\ndef process(data):\n    return data + 1", "process"),
        ("def process(data):\n    result = data + 1\n    return result", "process"),
    ],
)
def test_a_script_is_a_body_that_returns_or_assigns_result_or_defines_process(text: str, form: str) -> None:
    assert compile_script(text)[1] == form
    assert result_of(text) == 21


@pytest.mark.parametrize(
    "text",
    [
        "n = 1\ndef add(x):\n    global n\n    n += x\nadd(data)\nreturn n",
        "n = data + 1\nreturn globals()['n']",
        "n = data + 1\nreturn locals()['n']",
        "globals()['n'] = 1\nreturn data + n",
        "n = 0\ndef add(x):\n    nonlocal n\n    n += x\nadd(data)\nreturn n + 1",
        "from math import *\nreturn data + int(cos(0))",
        "if data:\n    from math import *\nreturn data + int(cos(0))",
        "n: int = data + 1\nreturn n",
        "import typing, sys\nn: int = 1\nreturn data + typing.get_type_hints(sys.modules['m'])['n'](1)",
        "n: int\nm: 'str'\nreturn data + (__annotations__ == {'n': int, 'm': 'str'})",
        "from __future__ import annotations\nn: int = 1\nreturn data + (__annotations__ == {'n': 'int'})",
        "import typing\ndef f(x: 'Own') -> None: ...\nclass Own: pass\nreturn data + (typing.get_type_hints(f)['x'] is Own)",
        "class Own:\n    m: int = data\nreturn Own.m + 1",
        "for n, (m, *_) in [(1, (2, 3))]:\n    pass\ndef f():\n    return n\nreturn data + f()",
        "with open('/dev/null') as file:\n    pass\nreturn data + ('file' in globals())",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    f = lambda: error\n    return data + (f() is not None)",
        "match [1, 2]:\n    case [n, *rest]:\n        pass\ndef f():\n    return n\nreturn data + f()",
        "m = [n := x for x in [1]]\nreturn data + globals()['n']",
        "x = 1\nm = [x for x in [5]]\nreturn data + x",
        "import os.path as p, math\ndef f():\n    return p, math\nf()\nreturn data + 1",
        "n = 1\ndel n\nreturn data + ('n' not in globals())",
        "data = data + 1\ndef f():\n    return data\nreturn f()",
        "def f(n=(m := 1)):\n    return m\nreturn data + f()",
    ],
)
def test_a_script_with_return_means_what_it_means_in_a_file(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("m")
    monkeypatch.setitem(sys.modules, "m", module)
    module.__dict__["data"] = 20
    code, form = compile_script(text)
    assert form == "return"
    assert eval(code, module.__dict__) == 21  # noqa: S307 - what the module under test is for


@pytest.mark.parametrize(
    ("text", "blank"), [("", True), (" \n\t\n", True), ("# later\n", True), ("return data", False)]
)
def test_a_script_without_a_statement_is_blank(text: str, blank: bool) -> None:
    assert is_blank(text) is blank


@pytest.mark.parametrize("ending", ["", "\n", "  # done", "\r\n\r\n"])
def test_line_endings_and_comments_at_the_end_do_not_matter(ending: str) -> None:
    assert result_of(f"data = data * 2\nreturn data + 2{ending}") == 42


@pytest.mark.parametrize(
    "text",
    [
        "\n\nx = 1\nreturn x / 0",
        "import math\n# comment\n\nresult = data / 0",
        "x: int = 1\nfrom math import *\n\ny: int = x / 0\nreturn y",
        "x: int = (\n    1\n)\nfrom math import *\nreturn cos(1) / 0",
        "from __future__ import annotations\n\n\nreturn 1 / 0",
        "def process(data):\n    x = (\n        1\n    )\n    return x / 0".replace(
            "(\n        1\n    )", "1\n    y = 2"
        ),
    ],
)
def test_an_error_has_the_line_that_the_user_wrote(text: str) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        result_of(text)
    frame = raised.traceback[-1]
    assert (str(frame.path), frame.lineno + 1) == (FILENAME, 1 + text[: text.index("/ 0")].count("\n"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\nreturn (", 2),
        ("return 1\n  return 2", 2),
        ("a = 1\nb = 2\nprint 'x'", 3),
        ("x = 1\nclass A:\n    return 1", 3),
        ("x = 1\nawait x\nreturn x", 2),
        ("(" * 300 + ")" * 300, 1),
        ("x = '\0'", None),
        ("x = " + "-" * 100_000 + "1", None),
    ],
)
def test_a_syntax_error_is_reported_with_its_line(text: str, line: int | None) -> None:
    with pytest.raises(ScriptSyntaxError) as refused:
        compile_script(text)
    assert str(refused.value)
    assert refused.value.line == line


@given(st.text(alphabet="return def x=():\n \t'\"\\\0#é", max_size=60))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    with suppress(ScriptSyntaxError):
        compile_script(text)


@pytest.mark.parametrize(
    ("text", "module", "line"),
    [
        ("import os", "os", 1),
        ("import pandas, subprocess", "subprocess", 1),
        ("import math\n\nfrom os.path import join", "os.path", 3),
        ("def process(data):\n    import socket as s\n    return data", "socket", 2),
        ("if False:\n    import ctypes", "ctypes", 2),
        ("from . import x", ".", 1),
    ],
)
def test_an_import_that_is_not_allowed_is_named_with_its_line(text: str, module: str, line: int) -> None:
    with pytest.raises(
        ImportNotAllowed, match=f"may not import '{module}': .*It may import .*numpy.*SCRIPT_IMPORTS"
    ) as refused:
        check_imports(text, DEFAULT_IMPORTS)
    assert refused.value.line == line


def test_a_library_for_mail_is_refused_with_the_way_out() -> None:
    with pytest.raises(ImportNotAllowed, match=r"'smtplib': return the DataFrame, and Nightmail mails it"):
        check_imports("import smtplib", DEFAULT_IMPORTS)


def test_a_network_library_is_refused_with_the_way_out() -> None:
    with pytest.raises(ImportNotAllowed, match=r"'requests': a script has no network; .* data_source"):
        check_imports("import requests", DEFAULT_IMPORTS)


@pytest.mark.parametrize(
    "text",
    [
        "import pandas as pd\nimport numpy.linalg",
        "from datetime import date\nreturn data",
        "importance = 1",
        "return (",
    ],
)
def test_pandas_and_computing_modules_may_be_imported(text: str) -> None:
    check_imports(text, DEFAULT_IMPORTS)


def test_a_deployment_may_allow_more_or_less() -> None:
    check_imports("import sklearn.linear_model", DEFAULT_IMPORTS | {"sklearn"})
    with pytest.raises(ImportNotAllowed, match="'math'"):
        check_imports("import math", frozenset({"pandas"}))


@pytest.mark.parametrize("text", ["import " + ".".join("a" * 60_000), "x = " + "a \\\n." * 300 + "b"])
def test_a_name_of_many_parts_is_refused_without_parsing_it(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ScriptSyntaxError, match="a dotted name has more than 200 parts"):
        compile_script(text)
    assert time.process_time() - began < scaled(0.2)


@pytest.mark.parametrize("text", ["a" * 130_000, "a " * 65_000, "a. " * 190 + "b;" + "a." * 190 + "b", "." * 130_000])
def test_the_search_for_such_a_name_is_linear(text: str) -> None:
    began = time.process_time()
    with suppress(ScriptSyntaxError):
        compile_script(text)
    assert time.process_time() - began < scaled(0.5)


@pytest.mark.parametrize(
    ("script", "reads"),
    [
        ("return data", False),
        ("if previous is None:\n    skip()\nreturn data.merge(previous)", True),
        ("def process(data):\n    return previous", True),
        ("result = data['previous']", False),
        ("# previous\nreturn data", False),
        ("previous = 1\nreturn data", False),
        ("return previous_rows", False),
        ("return previous ===", False),
    ],
)
def test_only_a_script_that_names_previous_reads_it(script: str, reads: bool) -> None:
    assert reads_previous(script) == reads
