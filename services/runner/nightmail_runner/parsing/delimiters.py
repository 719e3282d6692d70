"""Which delimiter a file has: the one that gives equal records."""

import csv
import io

_JUDGED_RECORDS = 50
_DELIMITERS = ",;\t|"


def judge_delimiters(head: str, comment: str | None) -> tuple[str, float]:
    """Return the delimiter with which most records have as many fields as the header, of several the one with the most
    fields, and the share of these records.
    """
    best, best_score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        if delimiter not in head:
            continue
        lines = (line for line in io.StringIO(head, newline="") if not (comment and line.startswith(comment)))
        records = csv.reader(lines, delimiter=delimiter)
        try:
            counts = [len(record) for record, _ in zip(records, range(_JUDGED_RECORDS), strict=False) if record]
        except csv.Error:
            continue
        if not counts or counts[0] < 2:
            continue
        agreeing = sum(count == counts[0] for count in counts) / len(counts)
        if (agreeing, counts[0]) > best_score:
            best, best_score = delimiter, (agreeing, counts[0])
    return best, best_score[0]
