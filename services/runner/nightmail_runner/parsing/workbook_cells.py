"""What python-calamine does not say of a sheet: errors, formulas without a value, too many digits, leading zeros, merged cells.

calamine gives an empty text for the first two (https://github.com/dimastbk/python-calamine), and floats for all numbers. They
are read from the sheet's XML (ECMA-376, part 1, 18.3.1.4: `c`, the cell).
"""

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELL = re.compile(rb"<c\s([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_VALUE = re.compile(rb"<v(?:\s[^>]*)?>([^<]*)</v>")
_FORMULA = re.compile(rb"<f[\s>/]")
_LONG_INTEGER = re.compile(rb"-?[0-9]{16,}")
_ANY_LONG_INTEGER = re.compile(rb">-?[0-9]{16,}</v>")
_MERGED = re.compile(rb'<mergeCell\s+ref="([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}([0-9]{1,7}))"')
_STYLE = re.compile(rb'\bs="([0-9]+)"')
#: The format of a number that is shown with leading zeros, perhaps of a country, and perhaps with other characters between its
#: digits: a postal code, a number of a customer. Excel's formats have at most 255 characters.
_ZEROS = re.compile(r"(?:\[\$[^\]]*\])?((?:0|[-+() :]|\\.|\"[^\"]*\")+)")
_ZERO_OR_LITERAL = re.compile(r"(0)|\\(.)|\"([^\"]*)\"|([-+() :])")
_LONGEST_FORMAT = 255
_OTHER_KIND = re.compile(rb'\bt="(?!n")')


@dataclass(frozen=True)
class ZeroFormat:
    """How a number is shown with leading zeros: what stands before each of its digits, and what stands behind the last one."""

    before: tuple[str, ...]
    behind: str

    @classmethod
    def of(cls, code: str) -> "ZeroFormat | None":
        """Return the format of a format code (ECMA-376, part 1, 18.8.31) such as `00000` or `000\\-00`; None of any other."""
        if len(code) > _LONGEST_FORMAT or code.count("0") < 2 or (zeros := _ZEROS.fullmatch(code)) is None:
            return None
        before = [""]
        for found in _ZERO_OR_LITERAL.finditer(zeros[1]):
            if found[1]:
                before.append("")
            else:
                before[-1] += found[found.lastindex or 0]
        return cls(tuple(before[:-1]), before[-1]) if len(before) > 2 else None

    def show(self, number: int) -> str:
        """Return a number, from 0, as a spreadsheet program shows it."""
        digits = f"{number:0{len(self.before)}d}"
        more = len(digits) - len(self.before)
        rest = "".join(map(str.__add__, self.before[1:], digits[more + 1 :]))
        return self.before[0] + digits[: more + 1] + rest + self.behind


@dataclass
class SheetCells:
    """The cells of a sheet that need care.

    `errors`: row and column from 0 -> text such as `#N/A`. `without_value`: the places of formulas, `C2`. `inexact`: the
    places and texts of integers that no float keeps. `zeros`: row and column from 0 -> how a number is shown with zeros in
    front. `merged`: ranges of which only the first cell has a value, `A2:A3`.
    """

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    without_value: list[str] = field(default_factory=list)
    inexact: list[tuple[str, str]] = field(default_factory=list)
    zeros: dict[tuple[int, int], ZeroFormat] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)


def read_cells(data: memoryview, sheet: str, first_row: int) -> SheetCells:
    """Return the cells of a sheet that need care; none if the workbook's parts are not where the standard has them.

    Args:
        first_row: from 1; what is above it is not looked at.
    """
    cells = SheetCells()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        try:
            xml = archive.read(_part_of(archive, sheet))
            formats = _zero_formats(archive)
        except (KeyError, ElementTree.ParseError):
            return cells
    cells.merged = [place.decode() for place, last_row in _MERGED.findall(xml) if int(last_row) >= first_row]
    if b't="e"' not in xml and b"<f" not in xml and _ANY_LONG_INTEGER.search(xml) is None and not formats:
        return cells
    for found in _CELL.finditer(xml):
        attributes, content = found[1], found[2] or b""
        style = _STYLE.search(attributes)
        zeros = None if style is None else formats.get(style[1])
        is_error = b't="e"' in attributes
        if not (is_error or zeros or b"<f" in content or len(content) > 16):
            continue
        place = _PLACE.search(attributes)
        if place is None or int(place[2]) < first_row:
            continue
        value = _VALUE.search(content)
        name = (place[1] + place[2]).decode()
        where = int(place[2]) - 1, _column(place[1])
        if is_error and value is not None:
            cells.errors[where] = value[1].decode()
        elif _FORMULA.search(content) and b't="str"' not in attributes and (value is None or not value[1]):
            cells.without_value.append(name)
        elif value is None or _OTHER_KIND.search(attributes):
            continue
        elif _LONG_INTEGER.fullmatch(value[1]):
            text = value[1].decode()
            if int(float(text)) != int(text):
                cells.inexact.append((name, text))
        elif zeros:
            cells.zeros[where] = zeros
    return cells


def _zero_formats(archive: zipfile.ZipFile) -> dict[bytes, ZeroFormat]:
    """Return the formats that show leading zeros, by the indexes of the styles that have them (18.8.30)."""
    name = "xl/styles.xml"
    if name not in archive.namelist() or b"0" not in (xml := archive.read(name)):
        return {}
    styles = ElementTree.fromstring(xml)  # noqa: S314 (in the sandbox)
    formats = {one.get("numFmtId"): ZeroFormat.of(one.get("formatCode", "")) for one in styles.iter(f"{_MAIN}numFmt")}
    used = [one.get("numFmtId") for one in styles.iterfind(f"{_MAIN}cellXfs/{_MAIN}xf")]
    return {b"%d" % style: zeros for style, name in enumerate(used) if (zeros := formats.get(name)) is not None}


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of a sheet's part.

    Raises:
        KeyError: the workbook does not name it.
    """
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 (in the sandbox)
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 (in the sandbox)
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    for found in book.iter(f"{_MAIN}sheet"):
        if found.get("name") == sheet:
            return posixpath.normpath(posixpath.join("/xl", targets[found.get(_RELATION)])).lstrip("/")
    raise KeyError(sheet)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
