"""A job's own `subject`: a Jinja2 template of a few nodes, in a sandbox.

The API refuses a template that the mailer cannot render. Import this module late: Jinja2 takes 40 ms and 3 MB, and
few jobs have a subject.
"""

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: The variables of a subject.
NAMES = ("job_name", "scheduled_at", "rows", "columns")

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

_sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
_sandbox.globals.clear()
_sandbox.filters = {name: _sandbox.filters[name] for name in _FILTERS}


class SubjectNotValid(Exception):
    """The text is not a template, or has a node that is not allowed; the message names it."""


def parse_subject(text: str) -> Template:
    """Return a subject's template; render it with a value for each of `NAMES`.

    Raises:
        SubjectNotValid: the text is not a valid subject.
    """
    try:
        tree = _sandbox.parse(text)
        for node in tree.find_all(nodes.Node):
            calls_another = isinstance(node, nodes.Call) and getattr(node.node, "attr", None) != "strftime"
            if not isinstance(node, _ALLOWED) or calls_another:
                raise SubjectNotValid(f"a subject has no {type(node).__name__} in it")
        if unknown := sorted(meta.find_undeclared_variables(tree) - set(NAMES)):
            raise SubjectNotValid(f"a subject knows {', '.join(NAMES)}, not {unknown[0]!r}")
        return _sandbox.from_string(tree)
    except TemplateSyntaxError as error:
        raise SubjectNotValid(f"not a template: {error.message}") from None
    except (TemplateError, RecursionError) as error:
        raise SubjectNotValid(f"not a template: {error}") from None
