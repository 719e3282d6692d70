"""A job's own `subject` and `message`: Jinja2 templates of a few nodes, in a sandbox.

Rendering takes microseconds whatever the run returned: there are no loops, and what a filter returns is bounded.

The API refuses a template that the mailer cannot render. Import this module late: Jinja2 takes 40 ms and 3 MB, and
few jobs have a subject.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Literal, overload

from jinja2 import Environment, StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.filters import do_round, do_title
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nightmail_common.contract.limits import MAX_SUBJECT_VALUE_CHARS, MAX_TEMPLATE_FILTERS, MAX_TEMPLATE_NESTING
from nightmail_common.contract.text import to_one_line

#: The variables of a subject. `split_value` is empty unless the mail has a slice of the result.
NAMES = ("job_name", "scheduled_at", "rows", "columns", "split_value")

#: The allowed nodes. No loops, no multiplication, no calls but `strftime`: rendering is fast and its result small.
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.Call,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Concat,
)
_FILTERS = ("default", "first", "join", "last", "length", "lower", "round", "title", "trim", "upper")
#: What other template languages call the filter that formats a time.
_TIME_FILTERS = frozenset({"date", "datetime", "format", "format_date", "strftime", "time"})
_TIME_EXAMPLE = "{{ scheduled_at.strftime('%Y-%m-%d') }}"

#: ASCII punctuation: all that Markdown has a meaning for.
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
#: More digits than a float has, and few enough for a power of ten.
_MAX_DIGITS = 20


class ColumnNames(Sequence[str]):
    """The columns of a result for a subject: all of them count, and each is shortened when it is read."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "ColumnNames": ...
    def __getitem__(self, index: int | slice) -> "str | ColumnNames":
        found = self._names[index]
        return found[:MAX_SUBJECT_VALUE_CHARS] if isinstance(found, str) else ColumnNames(found)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __str__(self) -> str:
        return _join(self, ", ")


def _join(values: Iterable[object], separator: object = "") -> str:
    """Join texts until the result is as long as a value may be; a subject shows less of it."""
    joined, between = "", str(separator)[:MAX_SUBJECT_VALUE_CHARS]
    for number, value in enumerate(islice(values, MAX_SUBJECT_VALUE_CHARS)):
        joined += (between if number else "") + str(value)[:MAX_SUBJECT_VALUE_CHARS]
        if len(joined) >= MAX_SUBJECT_VALUE_CHARS:
            break
    return joined[:MAX_SUBJECT_VALUE_CHARS]


def _round(value: float, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> float:
    """Round as Jinja2 does, which computes ten to the power of any precision."""
    if abs(precision) > _MAX_DIGITS:
        raise ValueError(f"a subject rounds to at most {_MAX_DIGITS} digits")
    return do_round(value, precision, method)


def _of_text(change: Callable[..., str]) -> Callable[..., str]:
    """Return a filter of the beginning of a text: `~` makes a text of any length, and filters may follow each other."""

    def changed(value: object, *arguments: object) -> str:
        return change(str(value)[:MAX_SUBJECT_VALUE_CHARS], *arguments)[:MAX_SUBJECT_VALUE_CHARS]

    return changed


class _Sandbox(ImmutableSandboxedEnvironment):
    """Calls `strftime` only (`_parse` refuses other calls), and with a format of bounded length."""

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 as Jinja2 names them
        if any(len(str(one)) > MAX_SUBJECT_VALUE_CHARS for one in (*args, *kwargs.values())):
            raise ValueError(f"a format of a time has at most {MAX_SUBJECT_VALUE_CHARS} characters")
        return super().call(__context, __obj, *args, **kwargs)


# Not optimized: Jinja2 looks for constants below each expression, from each expression above it.
_sandbox = _Sandbox(undefined=StrictUndefined, optimized=False)
_sandbox.globals.clear()
_sandbox.filters = {name: _sandbox.filters[name] for name in _FILTERS} | {
    "join": _join,
    "lower": _of_text(str.lower),
    "round": _round,
    "title": _of_text(do_title),
    "trim": _of_text(str.strip),
    "upper": _of_text(str.upper),
}


def _escape_markdown(value: object) -> str:
    """Return a value as Markdown shows it: every character that may be markup is escaped (CommonMark section 2.4)."""
    return _PUNCTUATION.sub(r"\\\g<0>", to_one_line(str(value)))


#: Fills messages: what an expression returns is text in Markdown, never markup.
_markdown_sandbox = _sandbox.overlay(finalize=_escape_markdown)


class SubjectNotValid(ValueError):
    """The text is not a template, or has a node that is not allowed; the message names it."""


def describe_template_error(error: Exception) -> str:
    """Return why a template could not be filled, as one short line for the readers of a mail."""
    text = to_one_line(str(error)).replace(f"{ColumnNames.__module__}.{ColumnNames.__qualname__} object", "columns")
    return text[:MAX_SUBJECT_VALUE_CHARS] or type(error).__name__


def parse_subject(text: str) -> Template:
    """Return a subject's template; render it with a value for each of `NAMES`.

    Raises:
        SubjectNotValid: the text is not a valid subject.
    """
    return _parse(_sandbox, text, "subject")


def parse_message(text: str) -> Template:
    """Return the template of a message in Markdown, as `parse_subject` does; its values are escaped."""
    return _parse(_markdown_sandbox, text, "message")


def parse_message_text(text: str) -> Template:
    """Return the template of a message for a mail's text, whose values need no escape."""
    return _parse(_sandbox, text, "message")


def _nests_deeper(tree: nodes.Template, levels: int) -> bool:
    level: list[nodes.Node] = [tree]
    for _ in range(levels):
        level = [child for node in level for child in node.iter_child_nodes()]
    return bool(level)


def _check_names(sandbox: Environment, tree: nodes.Template, what: str) -> None:
    """Check the names of filters and tests, for which Jinja2's own error has no list of those that exist."""
    for filtered in tree.find_all(nodes.Filter):
        if filtered.name not in sandbox.filters:
            times = f"; a time is written {_TIME_EXAMPLE}" if filtered.name in _TIME_FILTERS else ""
            known = ", ".join(_FILTERS)
            raise SubjectNotValid(f"a {what} has no filter {filtered.name!r}; the filters are {known}{times}")
    for test in tree.find_all(nodes.Test):
        if test.name not in sandbox.tests:
            known = ", ".join(sorted(filter(str.isidentifier, sandbox.tests)))
            raise SubjectNotValid(f"a {what} has no test {test.name!r}; the tests are {known}")


def _parse(sandbox: Environment, text: str, what: str) -> Template:
    try:
        tree = sandbox.parse(text)
        if _nests_deeper(tree, MAX_TEMPLATE_NESTING):
            raise SubjectNotValid(f"a {what} has at most {MAX_TEMPLATE_NESTING} expressions in each other")
        if sum(1 for _ in tree.find_all(nodes.Filter)) > MAX_TEMPLATE_FILTERS:
            raise SubjectNotValid(f"a {what} has at most {MAX_TEMPLATE_FILTERS} filters")
        _check_names(sandbox, tree, what)
        for node in tree.find_all(nodes.Node):
            calls_another = isinstance(node, nodes.Call) and getattr(node.node, "attr", None) != "strftime"
            if calls_another:
                raise SubjectNotValid(f"a {what} calls nothing but `strftime`: {_TIME_EXAMPLE}")
            if not isinstance(node, _ALLOWED):
                raise SubjectNotValid(f"a {what} has no {type(node).__name__} in it")
        if unknown := sorted({node.name for node in tree.find_all(nodes.Name)} - set(NAMES)):
            raise SubjectNotValid(f"a {what} knows {', '.join(NAMES)}, not {unknown[0]!r}")
        return sandbox.from_string(tree)
    except TemplateSyntaxError as error:
        raise SubjectNotValid(f"not a template: {error.message}") from None
    except (TemplateError, RecursionError) as error:
        raise SubjectNotValid(f"not a template: {error}") from None
