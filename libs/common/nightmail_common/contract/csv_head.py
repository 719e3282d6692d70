"""The first rows of a CSV that Nightmail wrote, whatever the CSV holds."""

import csv
import io
from itertools import islice


def read_head(csv_head: bytes, total_bytes: int, count: int, delimiter: str = ",") -> list[list[str]]:
    """Return the header and up to `count` rows; fewer if they are not whole in the part that is read.

    Args:
        csv_head: the beginning of the CSV, or all of it. Bytes that are not UTF-8 are replaced.
        total_bytes: the size of the whole CSV.
    """
    module_limit = csv.field_size_limit(len(csv_head))  # of the process; the module's own is 128 KiB
    try:
        text = io.TextIOWrapper(io.BytesIO(csv_head), "utf-8-sig", errors="replace", newline="")
        lines = csv.reader(text, delimiter=delimiter)
        found = list(islice(lines, count + 1))
        if len(csv_head) < total_bytes and next(lines, None) is None:
            del found[-1:]  # the rest of this row is behind the part that is read
    except csv.Error:
        return []
    finally:
        csv.field_size_limit(module_limit)
    return found
