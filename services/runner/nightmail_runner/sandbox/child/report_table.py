"""A script's result as the table of the report: flat columns with names, and no index."""

from itertools import islice

import pandas

from nightmail_common.contract.limits import MAX_TEXT_COLUMNS
from nightmail_runner.sandbox.child.cell_values import key_to_python

#: The column of a Series without a name.
UNNAMED_SERIES = "value"
#: The types of an index that only numbers the rows, also after a filter.
_ROW_NUMBERS = frozenset({"integer", "empty"})

#: A note names this many of the dropped labels.
_SHOWN_LABELS = 3


def to_table(result: pandas.DataFrame | pandas.Series) -> pandas.DataFrame:
    """Return a result with one line of column names and its labels as columns.

    An index becomes columns if it has a name or says something: text, dates, several levels. An unnamed index of
    integers only counts rows and is dropped. Several levels of column names become one, `amount sum`.
    """
    if isinstance(result, pandas.Series):
        frame = result.to_frame(UNNAMED_SERIES if result.name is None else result.name)
    else:
        frame = pandas.DataFrame(result)
    if frame.columns.nlevels > 1 or not _is_plain(frame.columns):
        frame.columns = pandas.Index([_flat_name(name) for name in frame.columns], dtype=object)
    elif any(isinstance(name, tuple | frozenset) for name in frame.columns):
        frame.columns = pandas.Index([_text_of_tuple(name) for name in frame.columns], dtype=object)
    if frame.columns.hasnans:  # no file shows a missing name in another way than the others
        frame.columns = pandas.Index(["" if _is_missing(name) else name for name in frame.columns], dtype=object)
    if _has_labels(frame.index):
        frame = frame.reset_index(allow_duplicates=True)
    return frame


def note_dropped_labels(result: pandas.DataFrame | pandas.Series, rows: int) -> list[str]:
    """Return the note that an unnamed index of integers is dropped, if it does not number rows: it may have years or ids.

    Args:
        rows: of all tables that the script got.
    """
    index = result.index
    if not len(index) or _has_labels(index):
        return []
    if isinstance(index, pandas.RangeIndex):
        numbers_rows = not _counts_from_1(index, rows)
    else:
        numbers_rows = index.min() >= 0 and index.max() < rows and not _counts_from_1(index, rows)
    if numbers_rows:
        return []
    first = ", ".join(f"{label}" for label in index[:_SHOWN_LABELS]) + (", ..." if len(index) > _SHOWN_LABELS else "")
    said = f"the labels of the result's rows ({first}) are numbers without a name, and are dropped"
    return [f"{said}; rename_axis('year') names them, so that they are a column"]


def _counts_from_1(index: pandas.Index, rows: int) -> bool:
    """Return whether labels rank the rows of a result: 1, 2, 3. All rows of the data but the first have such labels, too."""
    return index[0] == 1 and index[-1] == len(index) != rows - 1 and index.equals(pandas.RangeIndex(1, len(index) + 1))


def text_columns(table: pandas.DataFrame) -> tuple[int, ...]:
    """Return the positions of the first columns that hold text, also among other values; as many as an event can hold."""
    found = (position for position in range(len(table.columns)) if _has_text(table.iloc[:, position]))
    return tuple(islice(found, MAX_TEXT_COLUMNS))


def _has_text(column: pandas.Series) -> bool:
    kind = column.dtype
    if isinstance(kind, pandas.CategoricalDtype):
        return _has_text(kind.categories.to_series())
    if isinstance(kind, pandas.StringDtype) or kind.kind == "U":
        return True
    return kind.kind == "O" and any(isinstance(value, str) for value in column.array)


def _has_labels(index: pandas.Index) -> bool:
    return index.nlevels > 1 or any(name is not None for name in index.names) or index.inferred_type not in _ROW_NUMBERS


def _is_plain(columns: pandas.Index) -> bool:
    """Return whether column names are text or numbers."""
    return columns.dtype.kind in "iufbO" and not isinstance(columns.dtype, pandas.CategoricalDtype)


def _flat_name(name: object) -> object:
    if isinstance(name, tuple):
        return " ".join(f"{_flat_name(part)}" for part in name if not _is_missing(part) and part != "")
    if isinstance(name, pandas.Timestamp):
        return name.date().isoformat() if name == name.normalize() else name.isoformat()
    return name


def _is_missing(name: object) -> bool:
    return name is None or name is pandas.NA or name != name


def _text_of_tuple(name: object) -> object:
    """Return what `to_flat_index` made of several levels as text, a set likewise, and each other name as it is."""
    return f"{key_to_python(name)}" if isinstance(name, tuple | frozenset) else name
