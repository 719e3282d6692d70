"""Records that a page and the one before it have, because the data changed between their requests: others may be on none."""

from collections.abc import Callable, Iterable


class RepeatedRecords:
    """Compares the records of each page with those of the page before it.

    Data in which records are equal by nature has equal ones within a page, too: it gives no note.
    """

    def __init__(self) -> None:
        self._before: frozenset[int] = frozenset()
        self._pages = 0
        self._first: tuple[int, int] | None = None
        self._repeats_within = False

    def add(self, digests: list[int]) -> None:
        """Take the digests of a page's records."""
        self._pages += 1
        own = frozenset(digests)
        self._repeats_within |= len(own) < len(digests)
        if self._first is None and (both := len(own & self._before)):
            self._first = self._pages, both
        self._before = own

    def note(self, add_note: Callable[[str], None]) -> None:
        """Add a note if a page has records of the one before it, and no page has one twice."""
        if self._first is None or self._repeats_within:
            return
        page, count = self._first
        many = "1 record" if count == 1 else f"{count} records"
        add_note(
            f"page {page} has {many} of the page before it, too; if the data changed while its pages were read,"
            " records are in the rows twice, and others may be missing; a sort order to which new records are added at the end helps"
        )


def digests_of(records: Iterable[bytes]) -> list[int]:
    """Return a number of 64 bits for each record."""
    return list(map(hash, records))
