"""What is known of a script from its text: whether it can run, and what its run needs."""

from dataclasses import dataclass

from nightmail_common.contract.chart_detection import draws_charts
from nightmail_common.contract.script import (
    ImportNotAllowed,
    ScriptSyntaxError,
    check_imports,
    compile_script,
    reads_previous,
)


@dataclass(frozen=True)
class ScriptProblem:
    """Why a script cannot run. `line` counts from 1; `package` is the one that it may not import, if it is that."""

    message: str
    line: int | None
    package: str | None = None


@dataclass(frozen=True)
class ScriptFacts:
    """The facts of one script. `problem`: None if it compiles and imports only allowed packages."""

    problem: ScriptProblem | None
    reads_previous: bool
    draws_charts: bool


def find_facts(text: str, imports: frozenset[str]) -> ScriptFacts:
    """Return the facts of a script. It takes up to seconds for a long one: see `is_quick_to_compile`.

    Args:
        imports: the top-level packages that it may import.
    """
    return ScriptFacts(_find_problem(text, imports), reads_previous(text), draws_charts(text))


def _find_problem(text: str, imports: frozenset[str]) -> ScriptProblem | None:
    try:
        check_imports(text, imports)
        compile_script(text)
    except ImportNotAllowed as error:
        return ScriptProblem(str(error), error.line, error.package)
    except ScriptSyntaxError as error:
        return ScriptProblem(str(error), error.line)
    return None
