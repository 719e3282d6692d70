"""The subject of a result's mail: `{job_name} · {local time}`, or the job's own template."""

from datetime import datetime

import structlog
from jinja2 import TemplateError

from nightmail_common.contract.events import ResultReady
from nightmail_common.contract.subject_template import ColumnNames, describe_template_error, parse_subject
from nightmail_common.contract.text import shorten, to_one_line

#: A subject is one line of at most 998 bytes (RFC 5322 section 2.1.1); mail programs show fewer characters than this.
MAX_CHARACTERS = 200

#: What a template of a job may raise when it is parsed and rendered.
TEMPLATE_ERRORS = (
    TemplateError,
    ArithmeticError,
    TypeError,
    ValueError,
    AttributeError,
    LookupError,
)

logger = structlog.get_logger()


def render_subject(event: ResultReady, due: datetime, split_value: str | None) -> tuple[str, str | None]:
    """Return the subject, and why it is the default one if the job's template fails.

    Args:
        due: `scheduled_at` in the job's zone.
        split_value: of the slice that the event has.
    """
    problem = None
    if event.job.subject is not None:
        try:
            if own := one_line(parse_subject(event.job.subject).render(subject_context(event, due, split_value))):
                return own, None
        except TEMPLATE_ERRORS as error:
            problem = describe_template_error(error)
            logger.warning("subject_template_failed", error=type(error).__name__)
    what = event.job_name if split_value is None else f"{event.job_name} · {split_value}"
    return default_subject(what, due), problem


def subject_context(event: ResultReady, due: datetime, split_value: str | None) -> dict[str, object]:
    """Return the variables of a subject and a message (`subject_template.NAMES`)."""
    columns = ColumnNames(event.columns)
    return {
        "job_name": event.job_name,
        "scheduled_at": due,
        "rows": event.rows,
        "columns": columns,
        "split_value": split_value or "",
    }


def default_subject(what: str, due: datetime) -> str:
    return one_line(f"{what} · {due:%Y-%m-%d %H:%M}")


def one_line(text: str) -> str:
    """Return a text as a header can hold it: one line without control characters, shortened to `MAX_CHARACTERS`."""
    return shorten(to_one_line(text), MAX_CHARACTERS)
