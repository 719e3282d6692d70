"""Errors because of which an event has no mail. Another attempt would fail, too."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import MailKind

logger = structlog.get_logger()


class CannotRender(Exception):
    """There is no mail for this event: it has a time, a zone or an address that no mail can show."""


@contextmanager
def rendering() -> Iterator[None]:
    """Turn every error inside into `CannotRender`."""
    try:
        yield
    except Exception as error:
        logger.exception("mail_not_rendered")
        raise CannotRender(f"the mail cannot be rendered: {describe_error(error)[:500]}") from None


class JobWasDeleted(Exception):
    """No recipient has the mail, and its job was deleted."""

    def __init__(self, kind: MailKind) -> None:
        super().__init__(kind)
        self.kind: MailKind = kind
