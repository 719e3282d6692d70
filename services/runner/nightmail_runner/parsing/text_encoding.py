"""The characters of text data: the bytes become UTF-8, by the first of these that applies.

The option `encoding`, the byte order mark, the `charset` of the HTTP answer, UTF-8, detection (which is a note).
"""

import codecs
import re

import numpy
import pyarrow
import pyarrow.compute

from nightmail_runner.parsing.byte_search import all_shares, has_one_of, parts_of
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions

#: The UTF-32 mark begins with the UTF-16 one: the longer come first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: The UTF-8 mark: few texts have its first byte, which is fast to find.
_MARK_BEGINS, _MARK = codecs.BOM_UTF8[:1], re.compile(codecs.BOM_UTF8)
_LINE_MARKS = re.compile(rb"(?:\A|(?<=[\r\n]))(?:\xef\xbb\xbf)+")
#: Above this Arrow checks text faster than Python decodes it.
_LARGE_BYTES = 4 * 1024**2
#: Enough text to tell languages apart.
_SAMPLE_BYTES = 64 * 1024
#: What Windows and office programs write in western Europe. It is assumed where nothing speaks for another encoding.
_USUAL = "cp1252"
#: What detection chooses from: what they write elsewhere where it is not UTF-8, and DOS.
_CANDIDATES = (
    _USUAL, "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp850", "koi8_r", "gb18030", "big5", "cp932", "cp949",
)  # fmt: skip
#: Bytes beyond ASCII that stand together, or a letter in cp1252: more than `5 €`, `20 µm`, `Nº 1` or `“quoted”`.
_LETTERS = re.compile(rb"[\x80-\xff]{2,}|[\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xc0-\xd6\xd8-\xf6\xf8-\xff]")
#: Fewer such bytes are no evidence of another alphabet: `ÄÖÜ` can be three letters of Greek.
_FEWEST_LETTERS = 4
#: Another encoding must be so many times as likely. Of word lists of ten western languages no one in 30 is above 1.8, of those of
#: central Europe and Turkey the median is 2.0 to 5.7 (12 words).
_TIMES_AS_LIKELY = 2.0
#: cp850 and KOI8-R have it where others have letters; data has none.
_LINE_DRAWING = re.compile("[\u2500-\u259f]")
#: What no text has, not even as a delimiter of programs (0x01, 0x14, 0x1C to 0x1F) or as the end of a file in DOS.
_BINARY = re.compile("[\x02-\x08\x0e-\x13\x15-\x19\x1b]")
#: Letters of ISO 8859-2 beside others that cp1250 has elsewhere; it has signs there.
_LETTERS_OF_LATIN2 = re.compile(
    rb"[\xa1\xa6\xa9\xac\xae\xb1\xb5\xb6][A-Za-z\xc0-\xff]|[A-Za-z\xc0-\xff][\xb1\xb5\xb6\xb9\xbc\xbe]"
)
_UNKNOWN = "the data is not UTF-8, and its encoding cannot be recognised; set encoding"
#: Their names say neither which byte comes first nor that a byte order mark is missing.
_OF_EITHER_ORDER = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}
#: What programs put in place of bytes that they could not read; it has the first byte of a mark, too.
_REPLACEMENT = re.compile("\ufffd".encode())
#: UTF-8 that was read as cp1252 or ISO 8859-1 and written as UTF-8 once more, as `Ã¼` for `ü`, `Â°` for `°`, `â€™` for an apostrophe and
#: `Ð¿Ñ€` for Cyrillic; or the same in escapes of JSON. `Ã»` and `Ã”` can be a capital before a quote that closes, as Portuguese has it.
_TWICE_ENCODED = re.compile(
    rb"\xc3(?:\x83(?:\xc2[\x80-\xaa\xac-\xba\xbc-\xbf]|\xc5[\x93\xb8]|\xe2(?:\x80[\x9e\xb0]|\x82\xac))|\x82\xc2[\xa0-\xaa\xac-\xba\xbc-\xbf]"
    rb"|\xa2(?:\xe2(?:\x82\xac|\x80\x9a\xc2\xac)|\xc2[\x80-\x9f])"
    rb"|\x90(?:\xc2[\x80-\xbf]|[\xc5\xc6\xcb].|\xe2..)\xc3[\x90\x91](?:\xc2[\x80-\xbf]|[\xc5\xc6\xcb].|\xe2..))"
    rb"|\\u00[cC]3\\u00[89abAB]|\\u00[eE]2\\u(?:20[aA][cC]|201[aA]\\u00[aA][cC]|0080)"
)
#: One of these is in such text, and they are found at once.
_TWICE_ENCODED_HAS = (
    b"\xc3\x83", b"\xc3\x82", b"\xc3\xa2\xe2", b"\xc3\xa2\xc2", b"\xc3\x90", b"\\u00c3\\", b"\\u00C3\\", b"\\u00e2\\", b"\\u00E2\\",
)  # fmt: skip
#: A program encodes all of its text twice: the first part of a large file shows it.
_TWICE_ENCODED_WITHIN, _SHOWN_BEFORE = 4 * 1024**2, 20
#: What is sent under the names of these encodings, because Windows calls its wider ones so (WHATWG Encoding, section 4.2).
_WIDER = {
    "iso8859-1": "cp1252", "iso8859-9": "cp1254", "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949",
}  # fmt: skip
#: In these the bytes that Windows adds are control characters, which no text has.
_WITH_C1 = frozenset({"iso8859-1", "iso8859-9"})
_C1 = re.compile(rb"[\x80-\x9f]")


def to_utf8(data: memoryview, options: ReadOptions, notes: list[str]) -> memoryview:
    """Return text as UTF-8 without byte order marks at the start of its lines.

    Files that were joined have the mark of each, which is invisible, and makes a number a text.

    Raises:
        InputNotReadable: the bytes are not text in the encoding that applies, or the file mixes encodings; names the line.
    """
    noted = len(notes)
    text = _decode(data, options, notes)
    if len(notes) == noted:
        _note_twice_encoded(text, notes)
    if not has_one_of(text, _MARK_BEGINS):
        return text
    text = _without_marks(text, notes)
    if (found := _REPLACEMENT.search(text)) is not None:
        line = 1 + bytes(text[: found.start()]).count(b"\n")
        notes.append(
            f"line {line} has the character U+FFFD, which programs put in place of letters that they could not read; correct it"
            " at its source"
        )
    return text


def _note_twice_encoded(text: memoryview, notes: list[str]) -> None:
    head = bytes(text[:_TWICE_ENCODED_WITHIN])
    if not any(part in head for part in _TWICE_ENCODED_HAS) or (found := _TWICE_ENCODED.search(head)) is None:
        return
    before = head[: found.start()]
    word = re.split(rb"[\s,;\t\"]", before[-_SHOWN_BEFORE:])[-1] + head[found.start() : found.end() + _SHOWN_BEFORE]
    line = 1 + before.count(b"\n")
    shown = re.split(r"[\s,;\t\"]", word.decode("utf-8", "ignore"))[0]
    notes.append(
        f"line {line} has {shown!r}, which is how UTF-8 looks that another program has read in a wrong encoding; it is kept as it is;"
        " correct it at its source"
    )


def _without_marks(text: memoryview, notes: list[str]) -> memoryview:
    if _MARK.search(text) is None:
        return text
    whole, lines = _LINE_MARKS.subn(b"", text)
    if not lines:
        return text
    many = "1 line begins" if lines == 1 else f"{lines} lines begin"
    notes.append(f"{many} with a byte order mark, as in files that were joined; it was dropped")
    return memoryview(whole)


def _decode(data: memoryview, options: ReadOptions, notes: list[str]) -> memoryview:
    mark, marked = next(((mark, name) for mark, name in _MARKS if data[: len(mark)] == mark), (b"", None))
    if options.encoding is not None:
        return _declared(data, options.encoding, "the option encoding", notes)
    if marked is not None:
        return _transcode(data[len(mark) :], marked, "the byte order mark")
    if options.charset is not None:
        try:
            "".encode(options.charset)
        except (LookupError, UnicodeError):  # of a codec that is none of text, such as base64, too
            notes.append(f"the answer's charset {options.charset!r} is unknown and was ignored")
        else:
            return _declared(data, options.charset, "the charset of the answer", notes)
    if (unmarked := _utf16_without_mark(data)) is not None:
        notes.append(
            f"the data has no byte order mark and was read as {unmarked.upper()}; set encoding if that is wrong"
        )
        return _transcode(data, unmarked, "its NUL bytes")
    if _is_utf8(data):
        return data
    return _detect(data, notes)


def _declared(data: memoryview, encoding: str, because: str, notes: list[str]) -> memoryview:
    """Return text in a declared encoding; a note says so if it is UTF-8, too: `Ã©` is mostly an `é` that was declared wrongly."""
    text = _transcode(data, encoding, because)
    if not codecs.lookup(encoding).name.startswith("utf") and _is_utf8(data) and not _is_ascii(data):
        notes.append(
            f"the data was read as {encoding}, as {because} says, but it is also UTF-8; if letters look wrong, set encoding to utf-8"
        )
    return text


def _is_ascii(data: memoryview) -> bool:
    return all(part.isascii() for part in parts_of(data))


def refuse_nuls(text: memoryview) -> None:
    """Raise InputNotReadable if text has NUL characters in it: the data is binary."""
    if not all_shares(text, _has_no_nul):
        line = 1 + bytes(text).partition(b"\0")[0].count(b"\n")
        raise InputNotReadable(f"line {line} has a NUL byte: this seems to be binary data")


def _has_no_nul(text: memoryview) -> bool:
    return not len(text) or numpy.frombuffer(text, numpy.uint8).min() > 0


def _transcode(data: memoryview, encoding: str, because: str) -> memoryview:
    name = codecs.lookup(encoding).name
    if name in {"utf-8", "utf-8-sig", "ascii"}:
        data = data[3:] if bytes(data[:3]) == codecs.BOM_UTF8 else data
        if _is_utf8(data):
            return data
        _refuse_cut_character(data)
        line, byte = _first_bad_line(data)
        raise InputNotReadable(
            f"line {line} has the byte 0x{byte:02x}, which is not {name.upper()} ({because} says so)"
        )
    raw = bytes(data)
    if name.startswith(("utf-16", "utf-32")):
        name = _with_byte_order(raw, name, because)
    wider = _WIDER.get(name)
    if wider is not None and (name not in _WITH_C1 or _C1.search(raw)):
        try:
            text = raw.decode(wider)
        except UnicodeDecodeError:
            pass  # the declared one says where it is wrong
        else:
            return memoryview(text.encode())
    try:
        return memoryview(raw.decode(name).removeprefix("\ufeff").encode())
    except UnicodeDecodeError as error:
        line = 1 + bytes(data[: error.start]).count(b"\n")
        bad = bytes(data[error.start : error.start + 1]).hex()
        raise InputNotReadable(
            f"line {line} has the byte 0x{bad}, which is not {encoding} ({because} says so)"
        ) from None


def _with_byte_order(raw: bytes, name: str, because: str) -> str:
    """Return the name of UTF-16 or UTF-32 with its byte order: without one, Python assumes that of the machine.

    Raises:
        InputNotReadable: the data is UTF-8, or has no byte order mark and does not show its order.
    """
    if b"\0" not in raw and raw and _is_utf8(memoryview(raw)):
        raise InputNotReadable(
            f"the data seems to be UTF-8, not {name.upper()} ({because} says so); set encoding to utf-8"
        )
    marks = _OF_EITHER_ORDER.get(name)
    if marks is None or not raw or raw.startswith(marks):
        return name
    found = _utf16_without_mark(memoryview(raw)) if name == "utf-16" else None
    if found is None:
        raise InputNotReadable(
            f"the data has no byte order mark, which {name.upper()} needs ({because} says so); set encoding to {name}-le or {name}-be"
        )
    return found


def _refuse_cut_character(data: memoryview) -> None:
    """Raise InputNotReadable if UTF-8 ends within a character: the rest of the data is missing."""
    end = bytes(data[-4:])
    for length in range(1, min(len(end), 3) + 1):
        if end[-length] >= 0xC0:  # the first byte of a character
            decoder = codecs.getincrementaldecoder("utf-8")()
            try:
                decoder.decode(end[-length:])
            except UnicodeDecodeError:
                return
            if decoder.getstate()[0] and _is_utf8(data[:-length]):
                raise InputNotReadable(
                    "the data ends within a character of UTF-8, so it seems to be cut off; correct it at its source"
                )
            return


def _is_utf8(data: memoryview) -> bool:
    if len(data) > _LARGE_BYTES:
        return all_shares(data, _is_large_utf8)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for part in parts_of(data):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_large_utf8(data: memoryview) -> bool:
    offsets = pyarrow.array([0, len(data)], pyarrow.int64()).buffers()[1]
    whole = pyarrow.Array.from_buffers(pyarrow.large_binary(), 1, [None, offsets, pyarrow.py_buffer(data)])
    try:
        pyarrow.compute.cast(whole, pyarrow.large_string())
    except pyarrow.ArrowInvalid:
        return False
    return True


def _utf16_without_mark(data: memoryview) -> str | None:
    head = bytes(data[:4096])
    if len(head) < 4 or len(data) % 2:
        return None
    low, high = head[1::2].count(0), head[0::2].count(0)
    half = len(head) // 2
    if low > half * 0.7 and high < half * 0.05:
        return "utf-16-le"
    if high > half * 0.7 and low < half * 0.05:
        return "utf-16-be"
    return None


def _first_bad_line(data: memoryview) -> tuple[int, int]:
    """Return the number of the first line that is not UTF-8, and the byte that is not."""
    for number, line in enumerate(bytes(data).split(b"\n"), 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            return number, line[error.start]
    raise AssertionError("all lines are UTF-8")


def _detect(data: memoryview, notes: list[str]) -> memoryview:
    _refuse_cut_character(data)
    raw = bytes(data)
    try:
        text = raw.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        pass
    else:
        notes.append(
            "the data has characters in two halves of three bytes (CESU-8, as Oracle and Java write them); they were joined"
        )
        return memoryview(text.encode())
    strange: list[bytes] = []
    for line in raw.split(b"\n"):
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError:
            strange.append(line)
            continue
        number, byte = _first_bad_line(data)
        raise InputNotReadable(
            f"line {number} has the byte 0x{byte:02x}, which is not UTF-8, while other lines are UTF-8: the file mixes "
            "encodings; correct it at its source, or set encoding"
        )
    encoding = _recognise(b"\n".join(strange)[:_SAMPLE_BYTES])
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        raise InputNotReadable(_UNKNOWN) from None
    if _LINE_DRAWING.search(text) or _BINARY.search(text):
        raise InputNotReadable(_UNKNOWN)
    notes.append(f"the data is not UTF-8 and was read as {encoding}; set encoding if letters look wrong")
    return memoryview(text.encode())


def _recognise(sample: bytes) -> str:
    if len(b"".join(_LETTERS.findall(sample))) < _FEWEST_LETTERS and _is_text(sample, _USUAL):
        return _USUAL
    from chardet import detect_all  # 30 ms that only such a file needs

    answers = detect_all(
        sample, ignore_threshold=True, include_encodings=_CANDIDATES, prefer_superset=True, compat_names=False
    )
    likely = {answer["encoding"]: answer["confidence"] for answer in answers if answer["encoding"] is not None}
    if not likely:
        raise InputNotReadable(_UNKNOWN)
    best = max(likely, key=likely.__getitem__)
    if best == "cp1250" and _LETTERS_OF_LATIN2.search(sample) and not _C1.search(sample):
        best, likely = "iso8859-2", {"iso8859-2": likely[best], **likely}
    return best if likely[best] >= _TIMES_AS_LIKELY * likely.get(_USUAL, 0) else _USUAL


def _is_text(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
