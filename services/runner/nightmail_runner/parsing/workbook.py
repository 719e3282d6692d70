"""Excel workbooks (.xlsx) to a table: cells keep their types."""

import datetime
import io
from collections.abc import Sequence
from typing import Any

import pandas

from nightmail_runner.parsing.almost_numbers import note_decimals_in_quotes, note_several_kinds
from nightmail_runner.parsing.column_names import name_columns, note_values_as_names
from nightmail_runner.parsing.columns import check_declared, empty_column
from nightmail_runner.parsing.content import say_of_text
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.json_records import to_values
from nightmail_runner.parsing.missing_values import MissingValues
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions
from nightmail_runner.parsing.table import Table
from nightmail_runner.parsing.total_row import note_total_row
from nightmail_runner.parsing.workbook_cells import SheetCells, cell_name, read_cells


def read_workbook(data: memoryview, options: ReadOptions, notes: list[str]) -> Table:
    """Return a sheet of a workbook as a table; its first row that is not empty (after `skip_rows`) is the header.

    Raises:
        InputNotReadable: the data is not a workbook, the sheet does not exist, or a row has a value beyond the header.
    """
    import python_calamine  # 10 ms that only a workbook needs

    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except (python_calamine.CalamineError, OSError) as error:
        raise InputNotReadable(f"this is not an Excel workbook (.xlsx): {say_of_text(data) or error}") from None
    tables = [one for one in workbook.sheets_metadata if one.typ == python_calamine.SheetTypeEnum.WorkSheet]
    visible = [one.name for one in tables if one.visible == python_calamine.SheetVisibleEnum.Visible]
    name = _sheet_name(workbook.sheet_names, visible, options.sheet, notes)
    if name not in {one.name for one in tables}:
        raise InputNotReadable(f"the sheet {name!r} of the workbook has a chart or macros, and no cells")
    try:
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except OverflowError:
        raise InputNotReadable(
            f"the sheet {name!r} has a duration that no program can show; format its cell as a number"
        ) from None
    number = options.skip_rows
    if number >= len(rows) and options.skip_rows:
        raise InputNotReadable(f"skip_rows is {options.skip_rows}, but the sheet {name!r} has only {len(rows)} rows")
    has_times = any(isinstance(cell, datetime.time) for row in rows for cell in row)
    cells_with_care = read_cells(data, name, number + 1, negative=has_times)
    _refuse_negative_times(rows, cells_with_care)
    _put_errors(rows, cells_with_care, notes)
    _note_leap_day(rows, notes)
    while number < len(rows) and not any(_is_filled(cell) for cell in rows[number]):
        number += 1
    if number >= len(rows):
        notes.append(f"the sheet {name!r} is empty")
        return Table(pandas.DataFrame({name: empty_column(kind) for name, kind in options.types.items()}), notes)
    _put_leading_zeros(rows, number, cells_with_care, options, notes)
    header = _without_empty_end(rows[number])
    _note_hidden(rows, number, cells_with_care, notes)
    names = name_columns([_shown(cell) for cell in header], notes, f"row {number + 1}")
    note_values_as_names(names, notes, f"row {number + 1}")
    check_declared(names, options)
    missing = MissingValues(("", *options.na_values))
    records: list[list[Any]] = []
    numbers: list[int] = []
    blank = missing_rows = 0  # rows without a value in a sheet of one column
    for row, cells in enumerate(rows[number + 1 :], number + 2):
        filled = _without_empty_end(cells)
        if not filled:
            blank += len(names) == 1
            continue
        records += [[None]] * blank
        numbers += range(row - blank, row)
        missing_rows, blank = missing_rows + blank, 0
        if len(filled) > len(names):
            raise InputNotReadable(
                f"row {row} has a value in column {len(filled)}, but the header in row {number + 1} has {len(names)} columns; "
                "if rows above the table are a title, set skip_rows"
            )
        records.append([None if cell in missing else _plain(cell) for cell in filled])
        numbers.append(row)
    if missing_rows:
        notes.append(f"the only column has {missing_rows} missing values, which are empty rows in the sheet")
    columns = {}
    for position, column in enumerate(names):
        values = [record[position] if position < len(record) else None for record in records]
        columns[column] = missing.drop_from(_typed(column, values, options, numbers))
        if column not in options.types:
            note_decimals_in_quotes(column, values, notes)
            note_several_kinds(column, values, notes)
    note_total_row(columns.items(), notes)
    return Table(pandas.DataFrame(columns, copy=False), notes)


def _put_errors(rows: list[list[Any]], cells: SheetCells, notes: list[str]) -> None:
    """Put the error values of a sheet in their cells, as text: the reader of workbooks leaves them empty.

    Raises:
        InputNotReadable: a formula has no value, or a number has more digits than a workbook's numbers keep.
    """
    if not cells.found:
        notes.append(
            "errors such as #N/A and formulas without a value could not be checked, because the workbook's parts have unusual "
            "names: such cells are missing; save it again in a spreadsheet program"
        )
    if cells.without_value:
        raise InputNotReadable(
            f"the formula in {cells.without_value[0]} has no value, because no spreadsheet program has calculated it; "
            "open the workbook in one and save it"
        )
    if cells.merged:
        many = "1 range of merged cells" if len(cells.merged) == 1 else f"{len(cells.merged)} ranges of merged cells"
        notes.append(
            f"{many} ({shorten(', '.join(cells.merged))}): only the first cell of each has the value, the others are missing"
        )
    if cells.inexact:
        place, text = cells.inexact[0]
        raise InputNotReadable(
            f"the number {text} in {place} has more digits than a number of a workbook keeps; write it as text"
        )
    for (row, column), text in cells.errors.items():
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = text
    if cells.errors:
        found = ", ".join(sorted(set(cells.errors.values())))
        many = "1 cell has" if len(cells.errors) == 1 else f"{len(cells.errors)} cells have"
        notes.append(f"{many} an error ({found}), which is text here; na_values can name it")


def _refuse_negative_times(rows: list[list[Any]], cells: SheetCells) -> None:
    """Refuse a negative number in the format of a date or a time, as -6:00 is in `h:mm`: it was read as 18:00.

    Raises:
        InputNotReadable: a cell has one.
    """
    for (row, column), text in cells.negative.items():
        if row < len(rows) and column < len(rows[row]) and isinstance(rows[row][column], datetime.time):
            raise InputNotReadable(
                f"the cell {cell_name(row, column)} has the number {text} in the format of a date or a time, which is never"
                " negative; format it as a duration ([h]:mm) or as a number"
            )


def _note_leap_day(rows: list[list[Any]], notes: list[str]) -> None:
    """Add a note if a date may be 29 February 1900, which spreadsheets have and the calendar has not.

    The reader of workbooks gives 28 February for it.
    """
    places = [
        cell_name(number, column)
        for number, row in enumerate(rows)
        for column, cell in enumerate(row)
        if isinstance(cell, datetime.date) and (cell.year, cell.month, cell.day) == (1900, 2, 28)
    ]
    if places:
        many = "1 cell has" if len(places) == 1 else f"{len(places)} cells have"
        notes.append(
            f"{many} the date 1900-02-28 (the first is {places[0]}), which is also read for the 29 February 1900 that"
            " spreadsheets have and the calendar has not"
        )


def _note_hidden(rows: list[list[Any]], header: int, cells: SheetCells, notes: list[str]) -> None:
    """Add a note if records or columns are hidden: who looks at the sheet does not see them."""
    hidden = [row for row in cells.hidden_rows if header < row < len(rows) and any(map(_is_filled, rows[row]))]
    if hidden:
        notes.append(_hidden_were_read("row", [str(row + 1) for row in hidden]))
    width = len(_without_empty_end(rows[header]))
    columns = [_shown(rows[header][one]) for span in cells.hidden_columns for one in span if one < width]
    if columns:
        notes.append(_hidden_were_read("column", columns))


def _hidden_were_read(what: str, names: list[str]) -> str:
    one = len(names) == 1
    many = (
        f"1 {what} is hidden in the sheet, and was"
        if one
        else f"{len(names)} {what}s are hidden in the sheet, and were"
    )
    return f"{many} read: {shorten(', '.join(names))}"


def _put_leading_zeros(
    rows: list[list[Any]], header: int, cells: SheetCells, options: ReadOptions, notes: list[str]
) -> None:
    """Make numbers text that are shown with leading zeros: they are codes, and the CSV that Excel saves has the zeros, too.

    Those of a column that is declared as numbers stay numbers.
    """
    declared = [options.types.get(_shown(name)) in {"integer", "number"} for name in rows[header]]
    changed = 0
    for (row, column), zeros in cells.zeros.items():
        value = _plain(rows[row][column]) if row < len(rows) and column < len(rows[row]) else None
        if type(value) is not int or value < 0 or (column < len(declared) and declared[column]):
            continue
        if (shown := zeros.show(value)) is not None:
            rows[row][column] = shown
            changed += 1
    if changed:
        many = "1 number is" if changed == 1 else f"{changed} numbers are"
        notes.append(f"{many} shown with leading zeros in the sheet, and text here; types can declare integer")


def _sheet_name(names: list[str], visible: list[str], wanted: str | None, notes: list[str]) -> str:
    if wanted is None:
        first = (visible or names)[0]
        if len(names) > 1:
            which = f"{first!r}" if first == names[0] else f"{first!r}, the first visible one,"
            notes.append(f"the workbook has {len(names)} sheets; {which} was read; sheet can name another")
        return first
    if wanted in names:
        return wanted
    known = ", ".join(name if name == name.strip() else repr(name) for name in names)
    raise InputNotReadable(f"the workbook has no sheet {wanted!r}; its sheets are: {shorten(known)}")


def _typed(name: str, values: list[Any], options: ReadOptions, rows: Sequence[int]) -> Any:
    kinds = {type(value) for value in values if value is not None}
    if options.types.get(name) is None and kinds and kinds <= {datetime.date, datetime.datetime}:
        return pandas.to_datetime(pandas.Series(values)).array
    if options.types.get(name) is not None:
        values = [_declared(value) for value in values]
        if options.types[name] == "date":
            values = [value.removesuffix("T00:00:00") if isinstance(value, str) else value for value in values]
    return to_values(name, values, options, lambda row: f"row {rows[row]}")


def _declared(value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        return _duration(value)
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value


def _duration(value: datetime.timedelta) -> str:
    """Return a duration as the format `[h]:mm:ss` shows it, with the decimals of its seconds if it has some."""
    microseconds = abs(value) // datetime.timedelta(microseconds=1)
    seconds, rest = divmod(microseconds, 10**6)
    decimals = f".{rest:06d}".rstrip("0") if rest else ""
    sign = "-" if value < datetime.timedelta() else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{decimals}"


def _plain(cell: Any) -> Any:
    """Return a cell's value; a workbook has only floats, and whole ones are shown as integers."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    return cell


def _is_filled(cell: Any) -> bool:
    return cell is not None and cell != ""


def _without_empty_end(cells: Sequence[Any]) -> list[Any]:
    end = len(cells)
    while end and not _is_filled(cells[end - 1]):
        end -= 1
    return list(cells[:end])


def _shown(cell: Any) -> str:
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        cell = cell.date()
    return "" if cell is None else f"{_plain(cell)}"
