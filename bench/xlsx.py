"""The processor time of a result as xlsx and as CSV: 100,000 rows of eight columns, written in turns in one process.

Each ratio is of one round, in which both are written; the result is the median, because the speed of a shared machine drifts.
"""

import argparse
import io
import time
from collections.abc import Callable
from statistics import median

import pandas

from nightmail_runner.sandbox.child import csv_output, xlsx_output
from nightmail_runner.sandbox.child.report_table import to_table

BUDGET = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    result = frame(arguments.rows)
    write_csv(result)
    write_xlsx(result)
    seconds = [(timed(write_csv, result), timed(write_xlsx, result)) for _ in range(arguments.rounds)]
    ratio = median(xlsx / csv for csv, xlsx in seconds)
    csv, xlsx = (median(times) for times in zip(*seconds, strict=True))
    verdict = "ok" if ratio <= BUDGET else "OVER"
    print(
        f"{arguments.rows:,} rows  csv {csv:.2f} s  xlsx {xlsx:.2f} s  ratio {ratio:.2f}  (at most {BUDGET}: {verdict})"
    )


def frame(rows: int) -> pandas.DataFrame:
    """Return a result as reports have it: ids, codes, words, numbers, a date, a time, a truth value."""
    numbers = pandas.Series(range(rows))
    return pandas.DataFrame(
        {
            "id": numbers + 10_000_000,
            "code": numbers.map("{:08d}".format),
            "customer": numbers.map("Customer number {} & Sons".format),
            "amount": numbers * 1.25 + 0.01,
            "share": numbers / max(rows, 1),
            "day": pandas.Timestamp("2026-01-01") + pandas.to_timedelta(numbers % 365, "D"),
            "at": pandas.Timestamp("2026-01-01") + pandas.to_timedelta(numbers, "s"),
            "paid": numbers % 2 == 0,
        }
    )


def write_csv(result: pandas.DataFrame) -> None:
    table = csv_output.prepare_for_csv(to_table(result), keep_formulas=False)
    csv_output.write(table, io.BytesIO())


def write_xlsx(result: pandas.DataFrame) -> None:
    xlsx_output.write(to_table(result), io.BytesIO())


def timed(write: Callable[[pandas.DataFrame], None], result: pandas.DataFrame) -> float:
    since = time.process_time()
    write(result)
    return time.process_time() - since


if __name__ == "__main__":
    main()
