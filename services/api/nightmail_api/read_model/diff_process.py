"""A process that compares two results: a line of JSON and both CSVs are on stdin, what differs on stdout as JSON.

python -m nightmail_api.read_model.diff_process
"""

import io
import json
import resource
import sys
from dataclasses import asdict
from typing import Any

from nightmail_common.contract.comparison import CannotCompare, CsvTable, TooManyRows, compare
from nightmail_common.contract.limits import MAX_DIFF_CPU_SECONDS, MAX_DIFF_MEMORY_BYTES


def find_differences(request: dict[str, Any], before: bytes, after: bytes) -> dict[str, Any]:
    """Return the fields of a `Comparison`; or `cannot_compare`, `too_large` with the reason."""
    try:
        old, new = (
            CsvTable(io.BytesIO(data), result["delimiter"], result["name"])
            for result, data in zip(request["results"], (before, after), strict=True)
        )
        return asdict(compare(old, new, request["key"])) | {"columns": [old.columns, new.columns]}
    except CannotCompare as error:
        return {"cannot_compare": str(error)}
    except TooManyRows as error:
        return {"too_large": str(error)}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_DIFF_CPU_SECONDS, MAX_DIFF_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_DIFF_MEMORY_BYTES, MAX_DIFF_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = json.loads(sys.stdin.buffer.readline())
    before, after = (sys.stdin.buffer.read(result["size"]) for result in request["results"])
    json.dump(find_differences(request, before, after), sys.stdout)


if __name__ == "__main__":
    main()
