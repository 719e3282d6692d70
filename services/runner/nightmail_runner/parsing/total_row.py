"""Last records that are no records: the total of the others, or empty fields, as people and programs put them under a table."""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

import numpy
import pandas
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
#: So many first records are searched for totals between them.
_JUDGED = 5000
_NUMERIC = frozenset({"int64", "float64", "Int64"})
#: A text of more words is a sentence.
_MOST_WORDS = 4


def note_total_row(columns: Iterable[tuple[str, Any]], notes: list[str]) -> None:
    """Add a note if the last of several records has a word for a total, or another record has one and the sum of others.

    Args:
        columns: names and values as pandas keeps them, all of one length.
    """
    columns = list(columns)
    if columns and len(columns[0][1]) > 2:
        _note_first_total(columns, notes)
    _note_totals_between([(name, values[:-1]) for name, values in columns], notes)
    for name, values in columns:
        last = values[-1] if len(values) > 1 else None
        if isinstance(last, str) and _names_total(last):
            notes.append(
                f"the last record has {shorten(last)!r} in the column {name!r}; if it is the total of the others, a sum of"
                " all counts them twice"
            )
            return


def _note_totals_between(columns: Sequence[tuple[str, Any]], notes: list[str]) -> None:
    """Add a note if a record above the last one has a word for a total, and a number that is the sum of the records above it."""
    numeric = [(name, values[:_JUDGED]) for name, values in columns if str(values.dtype) in _NUMERIC]
    if not numeric:
        return
    for name, values in columns:
        if str(values.dtype) not in {"str", "object"}:
            continue
        texts = numpy.asarray(values[:_JUDGED], dtype=object)  # pandas takes a microsecond for each text of a loop
        # One search of all texts for each word: hardly any table has one, and to judge each text takes 20 ms.
        folded = [text.casefold() if isinstance(text, str) else "" for text in texts]
        joined = "\n".join(folded)
        words = [word for word in _WORDS | _LAST_WORDS if word in joined]
        if not words:
            continue
        numbers = [(of, _floats(one)) for of, one in numeric]
        rows = [row for row, text in enumerate(folded) if any(word in text for word in words) and _names_total(text)]
        starts = [0, *(row + 1 for row in rows)]
        for start, row in zip(starts, rows, strict=False):
            if (
                row - start > 1
                and (of := next((of for of, one in numbers if _is_sum(one[start : row + 1])), None)) is not None
            ):
                notes.append(
                    f"record {row + 1} has {shorten(texts[row])!r} in the column {name!r}, and in {of!r} the sum of the records above"
                    " it; a sum of all counts them twice"
                )
                return


def _note_first_total(columns: Sequence[tuple[str, Any]], notes: list[str]) -> None:
    """Add a note if the first record has a word for a total, and a number that is the sum of all others, as AWS writes its costs."""
    named = [(name, values[0]) for name, values in columns if isinstance(values[0], str) and _names_total(values[0])]
    numeric = [(name, values) for name, values in columns if str(values.dtype) in _NUMERIC]
    if named and (of := next((of for of, one in numeric if _is_sum(_floats(one)[::-1])), None)) is not None:
        name, text = named[0]
        notes.append(
            f"the first record has {shorten(text)!r} in the column {name!r}, and in {of!r} the sum of all others; a sum of all counts"
            " them twice"
        )


def _floats(values: Any) -> numpy.ndarray:
    return pandas.to_numeric(pandas.Series(values)).astype("float64").to_numpy(na_value=numpy.nan)


def _is_sum(numbers: numpy.ndarray) -> bool:
    """Return whether the last number, which is not 0, is the sum of those before it."""
    total = numbers[-1]
    return bool(total) and bool(numpy.isclose(numpy.nansum(numbers[:-1]), total, rtol=1e-9, atol=1e-9))


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
