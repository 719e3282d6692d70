"""Cursors of lists: where the next page begins, as a text that clients do not read."""

import base64
import json

from pydantic_core import from_json

from nightmail_api.http.problems import ValidationProblem


def cursor_of(listed: str, position: str | int) -> str:
    """Return the cursor of the page behind a position in a list.

    Args:
        listed: the list and its order; another list refuses the cursor.
    """
    return base64.urlsafe_b64encode(json.dumps([listed, position], ensure_ascii=False).encode()).decode()


def read_cursor(cursor: str | None, listed: str, kind: type[str | int]) -> str | int | None:
    """Return the position of a cursor; None for the first page.

    Raises:
        ValidationProblem: it is not a cursor of the list.
    """
    if cursor is None:
        return None
    try:
        of, position = from_json(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError):  # binascii.Error, too
        of = position = None
    if isinstance(position, int) and abs(position) >= 2**63:
        position = None
    if of != listed or type(position) is not kind:
        raise ValidationProblem(("cursor", "this is not a next_cursor of this list"))
    return position
