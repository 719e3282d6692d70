"""Pages of lists, and their cursors: where the next page begins, as a text that clients do not read."""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from pydantic_core import from_json

from nightmail_api.http.problems import ValidationProblem
from nightmail_common.contract.limits import MAX_PAGE_CHARS

T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """Items of a list, each as JSON; `next_cursor` asks for the next page, and is None at the end."""

    items: list[str]
    next_cursor: str | None

    @classmethod
    def of(
        cls, rows: Iterable[T], limit: int, item: Callable[[T], str], listed: str, position: Callable[[T], str | int]
    ) -> "Page":
        """Return the page of up to `limit` rows, and of `MAX_PAGE_CHARS`; one row more says that another page follows.

        Args:
            rows: is read no further than the page needs.
            item: returns the JSON of a row, and `position` what the cursor of the list `listed` has of the last one.
        """
        items: list[str] = []
        size = 0
        last: T | None = None
        for row in rows:
            if last is not None and (len(items) == limit or size >= MAX_PAGE_CHARS):
                return cls(items, cursor_of(listed, position(last)))
            items.append(item(row))
            size += len(items[-1])
            last = row
        return cls(items, None)


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
