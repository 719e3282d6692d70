"""What python-calamine does not say of a sheet: errors, formulas without a value, too many digits, leading zeros, merged cells.

calamine gives an empty text for the first two (https://github.com/dimastbk/python-calamine), and floats for all numbers. They
are read from the sheet's XML (ECMA-376, part 1, 18.3.1.4: `c`, the cell).
"""

import codecs
import io
import operator
import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree

#: The start of an element's name: programs write `<c>` or `<x:c>`, in the namespaces of ECMA-376 or of its Strict form.
_P = rb"(?:\w++:)?+"
#: Attributes and content. Possessive quantifiers (`++`, `*+`) prevent backtracking in a large sheet.
_CELL_PATTERN = rb"c(?:\s([^>]*+))?+>(?:(?<=/>)|((?:[^<]++|<(?!/" + _P + rb"c>))*+)</" + _P + rb"c>)"
_CELL = re.compile(rb"<" + _P + _CELL_PATTERN)
_ROW_OR_CELL = re.compile(rb"<" + _P + rb"(?:" + _CELL_PATTERN + rb"|(row)\b([^>]*)>)")
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_ROW_NUMBER = re.compile(rb"""\br\s*=\s*["']([0-9]{1,7})["']""")
_VALUE = re.compile(rb"<" + _P + rb"v(?:\s[^>]*)?>([^<]*)<")
_FORMULA = re.compile(rb"<" + _P + rb"f[\s>/]")
_LONG_INTEGER = re.compile(rb"-?[0-9]{16,}")
_ANY_LONG_INTEGER = re.compile(rb">-?[0-9]{16,}</" + _P + rb"v>")
_NEGATIVE = re.compile(rb">-[0-9.][^<]*</" + _P + rb"v>")
#: Rows and columns that the sheet does not show.
_HIDDEN_ROW = re.compile(rb"<" + _P + rb"""row\b(?=[^>]*\bhidden\s*=\s*["'](?:1|true)["'])([^>]*)>""")
_HIDDEN_COLUMNS = re.compile(rb"<" + _P + rb"""col\b(?=[^>]*\bhidden\s*=\s*["'](?:1|true)["'])([^>]*)>""")
_FIRST_AND_LAST = re.compile(rb"""\b(min|max)\s*=\s*["']([0-9]{1,5})["']""")
_MERGED = re.compile(rb"""mergeCell\s[^>]*?\bref\s*=\s*["']([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}([0-9]{1,7}))["']""")
_STYLE = re.compile(rb"""\bs\s*=\s*["']([0-9]+)["']""")
_KIND = re.compile(rb"""\bt\s*=\s*["'](\w+)["']""")
#: What a sheet with an error or a formula has in it; other sheets have them by chance.
_CARE = (b'"e"', b"'e'", b"<f", b":f")
#: A space as wide as a character, and a character that fills the cell: they are no part of the text.
_LITERAL_OR_WIDTH = re.compile(r"(\\.|\"[^\"]*\")|[_*].")
#: The format of a number that is shown with leading zeros, perhaps of a country or in a colour, and perhaps with other
#: characters between its digits: a postal code, a number of a customer. Excel's formats have at most 255 characters.
_ZEROS = re.compile(r"(?:\[(?:\$[^\]]*|[A-Za-z]+(?: ?[0-9]+)?)\])*#*((?:0|[-+() :]|\\.|\"[^\"]*\")+)")
_ZERO_OR_LITERAL = re.compile(r"(0)|\\(.)|\"([^\"]*)\"|([-+() :])")
_LONGEST_FORMAT = 255
#: A part of a format code up to a semicolon, and the numbers that it is for: special formats of postal codes have two.
_SECTION = re.compile(r"((?:\"[^\"]*\"|\\.|[^;\"\\])+)")
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?[0-9]+(?:\.[0-9]+)?)\]")
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "=": operator.eq,
}  # fmt: skip


@dataclass(frozen=True)
class _ZeroSection:
    """How a number is shown with leading zeros: the text before each of its digits, and the text after the last one."""

    before: tuple[str, ...]
    behind: str

    @classmethod
    def of(cls, code: str) -> "_ZeroSection | None":
        """Return the section of a format code such as `00000` or `000\\-00`; None of any other. `0` is one beside others."""
        if (zeros := _ZEROS.fullmatch(_LITERAL_OR_WIDTH.sub(r"\1", code))) is None:
            return None
        before = [""]
        for found in _ZERO_OR_LITERAL.finditer(zeros[1]):
            if found[1]:
                before.append("")
            else:
                before[-1] += found[found.lastindex or 0]
        return cls(tuple(before[:-1]), before[-1]) if len(before) > 1 else None

    def show(self, number: int) -> str:
        digits = f"{number:0{len(self.before)}d}"
        more = len(digits) - len(self.before)
        rest = "".join(map(str.__add__, self.before[1:], digits[more + 1 :]))
        return self.before[0] + digits[: more + 1] + rest + self.behind


@dataclass(frozen=True)
class ZeroFormat:
    """How numbers are shown with leading zeros: by sections, each for the numbers that its condition holds for, if it has one."""

    sections: tuple[tuple[re.Match[str] | None, _ZeroSection | None], ...]

    @classmethod
    def of(cls, code: str) -> "ZeroFormat | None":
        """Return the format of a format code (ECMA-376, part 1, 18.8.31) such as `00000` or `[<=99999]00000;00000-0000`; None of any other.

        A code with several sections and no condition has one for negative numbers: it shows quantities, not names of things.
        """
        if len(code) > _LONGEST_FORMAT or code.count("0") < 2:
            return None
        sections = [
            (_CONDITION.search(part), _ZeroSection.of(_CONDITION.sub("", part))) for part in _SECTION.findall(code)
        ]
        if (len(sections) > 1 and sections[0][0] is None) or not any(
            zeros and len(zeros.before) > 1 for _, zeros in sections
        ):
            return None
        return cls(tuple(sections))

    def show(self, number: int) -> str | None:
        """Return a number, from 0, as a spreadsheet program shows it; None if its section has no leading zeros."""
        for condition, zeros in self.sections:
            if condition is None or _HOLDS[condition[1]](number, float(condition[2])):
                return None if zeros is None else zeros.show(number)
        return None


@dataclass
class SheetCells:
    """The cells of a sheet that need care.

    `errors`: row and column from 0 -> text such as `#N/A`. `without_value`: the places of formulas, `C2`. `inexact`: the
    places and texts of integers that no float keeps. `zeros`: row and column from 0 -> how a number is shown with zeros in
    front. `merged`: ranges of which only the first cell has a value, `A2:A3`. `negative`: row and column from 0 -> text of a
    number, if they were asked for. `hidden_rows`, `hidden_columns`: from 0. `found`: whether the sheet's XML was found.
    """

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    without_value: list[str] = field(default_factory=list)
    inexact: list[tuple[str, str]] = field(default_factory=list)
    zeros: dict[tuple[int, int], ZeroFormat] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)
    negative: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[range] = field(default_factory=list)
    found: bool = True


def read_cells(data: memoryview, sheet: str, first_row: int, *, negative: bool = False) -> SheetCells:
    """Return the cells of a sheet that need care.

    Args:
        first_row: from 1; cells above it are ignored.
        negative: whether negative numbers are wanted.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = _Parts(archive)
        try:
            xml = parts.read(_part_of(parts, sheet))
            formats = _zero_formats(parts)
        except (KeyError, ElementTree.ParseError):
            return SheetCells(found=False)
    if xml.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        xml = xml.decode("utf-16").encode()
    merged = [place.decode() for place, last_row in _MERGED.findall(xml) if int(last_row) >= first_row]
    negative = negative and _NEGATIVE.search(xml) is not None
    cells = SheetCells()
    if formats or negative or any(sign in xml for sign in _CARE) or _ANY_LONG_INTEGER.search(xml) is not None:
        try:
            cells = _scan(xml, formats, first_row)
        except _PlaceMissing:
            cells = _scan(xml, formats, first_row, _Counter())
    cells.merged = merged
    if b"hidden" in xml:
        numbers = (_ROW_NUMBER.search(attributes) for attributes in _HIDDEN_ROW.findall(xml))
        cells.hidden_rows = [int(number[1]) - 1 for number in numbers if number is not None]
        spans = (dict(_FIRST_AND_LAST.findall(attributes)) for attributes in _HIDDEN_COLUMNS.findall(xml))
        cells.hidden_columns = [range(int(span[b"min"]) - 1, int(span[b"max"])) for span in spans if len(span) == 2]
    return cells


class _PlaceMissing(Exception):
    """A cell that needs care does not say where it is, so that rows and cells have to be counted."""


class _Counter:
    """Counts rows and cells: one that does not say its place follows the one before it (18.3.1.4, 18.3.1.73)."""

    def __init__(self) -> None:
        self._row = self._column = -1

    def place(self, found: re.Match[bytes]) -> tuple[int, int] | None:
        """Return the place of a cell; None if the match is the start of a row."""
        if found[3] is not None:
            number = _ROW_NUMBER.search(found[4])
            self._row, self._column = self._row + 1 if number is None else int(number[1]) - 1, -1
            return None
        place = _PLACE.search(found[1] or b"")
        self._row, self._column = (self._row, self._column + 1) if place is None else _position(place)
        return self._row, self._column


def _scan(xml: bytes, formats: dict[bytes, ZeroFormat], first_row: int, counter: _Counter | None = None) -> SheetCells:
    """Return the cells that need care; their places are counted if there is a counter.

    Raises:
        _PlaceMissing: one of them has no place.
    """
    cells = SheetCells()
    where: tuple[int, int] | None = None
    for found in (_CELL if counter is None else _ROW_OR_CELL).finditer(xml):
        if counter is not None and (where := counter.place(found)) is None:
            continue
        attributes, content = found[1] or b"", found[2] or b""
        style = _STYLE.search(attributes) if formats else None
        zeros = None if style is None else formats.get(style[1])
        is_error = b'"e"' in attributes or b"'e'" in attributes
        if not (is_error or zeros or b"<f" in content or b":f" in content or len(content) > 16 or b">-" in content):
            continue
        if counter is None:
            if (named := _PLACE.search(attributes)) is None:
                raise _PlaceMissing
            where = _position(named)
        assert where is not None
        if where[0] + 1 < first_row:
            continue
        value = _VALUE.search(content)
        kind = _KIND.search(attributes)
        if kind is not None and kind[1] == b"e" and value is not None:
            cells.errors[where] = value[1].decode()
        elif _FORMULA.search(content) and not (kind and kind[1] == b"str") and (value is None or not value[1]):
            cells.without_value.append(cell_name(*where))
        elif value is None or (kind is not None and kind[1] != b"n"):
            continue
        elif value[1].startswith(b"-") and not _LONG_INTEGER.fullmatch(value[1]):
            cells.negative[where] = value[1].decode()
        elif _LONG_INTEGER.fullmatch(value[1]):
            text = value[1].decode()
            if int(float(text)) != int(text):
                cells.inexact.append((cell_name(*where), text))
        elif zeros:
            cells.zeros[where] = zeros
    return cells


class _Parts:
    """The parts of a workbook. Their names are equal whatever their case is (ECMA-376, part 2, 6.2.2.3)."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {_folded(name): name for name in archive.namelist()}

    def read(self, name: str) -> bytes:
        """Return the bytes of a part.

        Raises:
            KeyError: the workbook does not have it.
        """
        return self._archive.read(self._names[_folded(name)])


def _folded(name: str) -> str:
    return name.replace("\\", "/").casefold()


def _zero_formats(parts: _Parts) -> dict[bytes, ZeroFormat]:
    """Return the formats that show leading zeros, by the indexes of the styles that have them (18.8.30)."""
    try:
        xml = parts.read("xl/styles.xml")
    except KeyError:
        return {}
    styles = ElementTree.fromstring(xml)  # noqa: S314 (in the sandbox)
    formats = {one.get("numFmtId"): ZeroFormat.of(one.get("formatCode", "")) for one in styles.iterfind(".//{*}numFmt")}
    used = [one.get("numFmtId") for one in styles.iterfind("{*}cellXfs/{*}xf")]
    return {b"%d" % style: zeros for style, name in enumerate(used) if (zeros := formats.get(name)) is not None}


def _part_of(parts: _Parts, sheet: str) -> str:
    """Return the name of a sheet's part.

    Raises:
        KeyError: the workbook does not name it.
    """
    book = ElementTree.fromstring(parts.read("xl/workbook.xml"))  # noqa: S314 (in the sandbox)
    relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 (in the sandbox)
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    for found in book.iterfind("{*}sheets/{*}sheet"):
        if found.get("name") == sheet:
            relation = next((value for name, value in found.items() if name.endswith("}id")), None)
            return posixpath.normpath(posixpath.join("/xl", targets[relation])).lstrip("/")
    raise KeyError(sheet)


def _position(place: re.Match[bytes]) -> tuple[int, int]:
    return int(place[2]) - 1, _column(place[1])


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell, such as `C2`."""
    letters, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
