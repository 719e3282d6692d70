"""A last record that is the total of the others, as people and programs put it under a table."""

from collections.abc import Iterable
from typing import Any

from nightmail_runner.parsing.error_text import shorten

_WORDS = frozenset(
    {"total", "totals", "grand total", "sum", "summe", "gesamt", "gesamtsumme", "insgesamt", "somme", "total général"}
    | {"suma", "totale", "totaal", "razem", "celkem", "összesen", "toplam", "yhteensä", "summa", "итого", "всего"}
    | {"σύνολο", "合計", "总计", "合计", "總計", "합계"}
)


def note_total_row(columns: Iterable[tuple[str, Any]], notes: list[str]) -> None:
    """Add a note if the last of several records has a word for a total.

    Args:
        columns: names and values, all of one length.
    """
    for name, values in columns:
        last = values[-1] if len(values) > 1 else None
        if isinstance(last, str) and last.strip().rstrip(":").casefold() in _WORDS:
            notes.append(
                f"the last record has {shorten(last)!r} in the column {name!r}; if it is the total of the others, a sum of"
                " all counts them twice"
            )
            return
