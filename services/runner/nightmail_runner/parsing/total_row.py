"""Last records that are no records: the total of the others, or empty fields, as people and programs put them under a table."""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

import numpy
import pyarrow.compute

from nightmail_runner.parsing.error_text import shorten

_WORDS = frozenset(
    {"total", "totals", "grand total", "sum", "summe", "gesamt", "gesamtsumme", "insgesamt", "somme", "total général"}
    | {"suma", "totale", "totaal", "razem", "celkem", "összesen", "toplam", "yhteensä", "summa", "итого", "всего"}
    | {
        "subtotal",
        "gesamtergebnis",
        "ergebnis",
        "zwischensumme",
        "endsumme",
        "total general",
        "total geral",
        "eindtotaal",
    }
    | {
        "totale complessivo",
        "suma końcowa",
        "общий итог",
        "総計",
        "总合计",
        "σύνολο",
        "合計",
        "总计",
        "合计",
        "總計",
        "합계",
    }
)
_LAST_WORDS = frozenset({"total", "totals", "subtotal", "summe", "gesamt", "ergebnis", "zwischensumme"})
#: A text of more words is a sentence.
_MOST_WORDS = 4


def note_total_row(columns: Iterable[tuple[str, Any]], notes: list[str]) -> None:
    """Add a note if the last of several records has a word for a total.

    Args:
        columns: names and values, all of one length.
    """
    for name, values in columns:
        last = values[-1] if len(values) > 1 else None
        if isinstance(last, str) and _names_total(last):
            notes.append(
                f"the last record has {shorten(last)!r} in the column {name!r}; if it is the total of the others, a sum of"
                " all counts them twice"
            )
            return


def _names_total(text: str) -> bool:
    """Return whether a text is a word for a total, or begins or ends with one: `Total north`, `Summe EUR:`, `north Ergebnis`."""
    words = text.strip().rstrip(":").casefold().split()
    if not words or len(words) > _MOST_WORDS or any(map(str.isdigit, words)):
        return False
    return " ".join(words) in _WORDS or (
        len(words) > 1 and (words[0].rstrip(":") in _WORDS or words[-1] in _LAST_WORDS)
    )


def note_empty_end(columns: Sequence[Any], notes: list[str]) -> None:
    """Add a note if the last records of several fields have no values, as a spreadsheet writes rows that were cleared.

    Args:
        columns: Arrow arrays of one length.
    """
    if len(columns) < 2 or not len(columns[0]) or any(column[-1].is_valid for column in columns):
        return
    filled: Any = reduce(pyarrow.compute.or_, (column.is_valid() for column in columns))
    rows = numpy.flatnonzero(filled)
    count = len(filled) - (int(rows[-1]) + 1 if len(rows) else 0)
    many = "the last record has" if count == 1 else f"the last {count} records have"
    notes.append(f"{many} only empty fields; records without values count, too (data.dropna(how='all') drops them)")
