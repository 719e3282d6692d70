"""Names of files that every system can store, and that old mail programs read."""

import re
import unicodedata
from datetime import datetime

from nightmail_common.contract.text import to_one_line

#: With a date and an ending, a `name` in ASCII fits one header line of 78 characters: a longer one is split into
#: continuations (RFC 2231 section 3), which old mail programs do not read.
MAX_NAME_CHARACTERS = 50
#: The longest job name and the longest value in a file name that has both.
MAX_SLICE_NAME_CHARACTERS = 24
#: Windows forbids these in names; `/` and NUL are forbidden everywhere.
_FORBIDDEN = re.compile(r'["<>:\\/|?*]')
#: Devices of Windows: a file may not have such a name, whatever its ending.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)
#: Stands for a name of which nothing can be kept.
_UNNAMED = "report"


def file_stem(job_name: str, due: datetime, split_value: str | None) -> str:
    """Return the name of a result's files without an ending: the job's name, the value of a slice, and the day of `due`."""
    name = _safe(job_name)
    if split_value is not None:
        name = f"{name[:MAX_SLICE_NAME_CHARACTERS].strip(' .')} {_safe(split_value)[:MAX_SLICE_NAME_CHARACTERS].strip(' .')}"
    return f"{name} {due:%Y-%m-%d}"


def to_ascii(file_name: str) -> str:
    """Return a file's name in ASCII, for mail programs that do not read RFC 2231: accents go, other letters too."""
    stem, _, end = file_name.rpartition(" ")
    decomposed = unicodedata.normalize("NFKD", stem)
    return f"{_safe(decomposed.encode('ascii', 'ignore').decode())} {end}"


def _safe(name: str) -> str:
    name = _FORBIDDEN.sub("_", to_one_line(name))[:MAX_NAME_CHARACTERS].strip(" .") or _UNNAMED
    return f"_{name[: MAX_NAME_CHARACTERS - 1]}" if _RESERVED.match(name) else name
