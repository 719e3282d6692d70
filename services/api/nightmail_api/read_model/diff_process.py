"""What differs between two results, in a process of its own:

python -m nightmail_api.read_model.diff_process
"""

import io
from dataclasses import asdict
from typing import Any

from nightmail_common.contract.comparison import CannotCompare, CsvTable, TooManyRows, compare
from nightmail_common.contract.limits import MAX_DIFF_CPU_SECONDS, MAX_DIFF_MEMORY_BYTES
from nightmail_common.service.limited_process import serve


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


if __name__ == "__main__":
    serve(find_differences, MAX_DIFF_CPU_SECONDS, MAX_DIFF_MEMORY_BYTES)
