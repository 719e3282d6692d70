"""The message of a job's owner above the table: Markdown without raw HTML, with the variables of the subject."""

import re
from collections.abc import Callable
from datetime import datetime
from html import escape

import structlog
from jinja2 import Template
from markdown_it import MarkdownIt

from nightmail_common.contract.events import ResultReady
from nightmail_common.contract.subject_template import describe_template_error, parse_message, parse_message_text
from nightmail_common.contract.text import shorten
from nightmail_mailer.compose.subject import TEMPLATE_ERRORS, subject_context

#: The length of the filled message: values may make it longer than its template. Gmail clips a mail of more than 102 KB.
MAX_MESSAGE_CHARACTERS = 16_000
#: How deep quotes and lists may be nested.
_MAX_NESTING = 20
#: A short row of a table is filled to the width of its header: 8 KiB made 65,000 cells, and took 2 s.
MAX_MESSAGE_CELLS = 2_000
_LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)

#: Images would be loaded from the network. A link that is not allowed stays as its text.
_without_tables = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": _MAX_NESTING})
_without_tables.disable("image")
_without_tables.validateLink = lambda url: _LINK.match(url) is not None  # type: ignore[method-assign]
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": _MAX_NESTING})
_markdown.enable("table").disable("image")
_markdown.validateLink = _without_tables.validateLink  # type: ignore[method-assign]

logger = structlog.get_logger()


def render_message(event: ResultReady, due: datetime, split_value: str | None) -> tuple[str, str]:
    """Return the message as text, which keeps its Markdown, and as HTML; both are empty if the job has none.

    A message that cannot be filled is replaced by a sentence that says why.

    Args:
        due: `scheduled_at` in the job's zone.
        split_value: of the slice that the event has.
    """
    if not event.job.message:
        return "", ""
    try:
        text, markdown = (_fill(parse, event, due, split_value) for parse in (parse_message_text, parse_message))
    except TEMPLATE_ERRORS as error:
        logger.warning("message_template_failed", error=type(error).__name__)
        text = f"The job has a message that could not be filled: {describe_template_error(error)}."
        return text, f"<p>{escape(text)}</p>"
    return text, _to_html(markdown)


def _to_html(markdown: str) -> str:
    lines = markdown.split("\n")
    most_cells = max(line.count("|") + 1 for line in lines) * len(lines)
    html: str = (_markdown if most_cells <= MAX_MESSAGE_CELLS else _without_tables).render(markdown)
    return html


def _fill(parse: Callable[[str], Template], event: ResultReady, due: datetime, split_value: str | None) -> str:
    return shorten(parse(event.job.message).render(subject_context(event, due, split_value)), MAX_MESSAGE_CHARACTERS)
