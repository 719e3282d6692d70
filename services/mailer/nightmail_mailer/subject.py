"""The subject of a result's mail: `{job_name} · {local time}`, or the job's own template."""

from datetime import datetime

import structlog
from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nightmail_common.events import ResultReady

#: A subject is one line of at most 998 bytes (RFC 5322 section 2.1.1); no reader shows more than this many characters.
MAX_CHARACTERS = 200

#: What a subject may be made of. No loops, no multiplication, no calls but `strftime`: whatever the template says, it is
#: rendered at once and stays small.
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

_sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
_sandbox.globals.clear()
_sandbox.filters = {name: _sandbox.filters[name] for name in _FILTERS}

logger = structlog.get_logger()


def subject(event: ResultReady, due: datetime) -> str:
    """Return the subject; the plain one if the job's own cannot be made.

    Args:
        due: `scheduled_at` in the job's zone.
    """
    if event.job.subject is not None:
        facts = {"job_name": event.job_name, "scheduled_at": due, "rows": event.rows, "columns": list(event.columns)}
        try:
            if own := one_line(_template(event.job.subject).render(facts)):
                return own
        except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError, LookupError) as error:
            logger.warning("subject_unusable", error=type(error).__name__)
    return plain_subject(event.job_name, due)


def _template(text: str) -> Template:
    """Return a subject's template.

    Raises:
        TemplateError: it is none, or has in it what a subject may not be made of.
    """
    tree = _sandbox.parse(text)
    for node in tree.find_all(nodes.Node):
        calls_another = isinstance(node, nodes.Call) and getattr(node.node, "attr", None) != "strftime"
        if not isinstance(node, _ALLOWED) or calls_another:
            raise SecurityError(f"a subject has no {type(node).__name__}")
    return _sandbox.from_string(tree)


def plain_subject(what: str, due: datetime) -> str:
    return one_line(f"{what} · {due:%Y-%m-%d %H:%M}")


def one_line(text: str) -> str:
    """Return a text that can be a header: one line, no control characters, not too long."""
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"
