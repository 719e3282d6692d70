"""Workarounds for pyarrow, and for ADBC."""

import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pyarrow
    from adbc_driver_manager._lib import ArrowArrayStreamHandle


class _NoPandas:
    """Finds that pandas is not installed."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError("a reader imports no pandas", name=name)
        return None


def keep_pandas_out() -> None:
    """Make the import of pandas fail in this process.

    pyarrow imports it, if it is installed, to convert any list to an array, because an element may belong to pandas
    (pandas-shim.pxi): a third of a second of processor time and 40 MB.
    """
    sys.meta_path.insert(0, _NoPandas())


def batches_of(result: "ArrowArrayStreamHandle") -> "pyarrow.RecordBatchReader":
    """Return the batches of a result, whose errors are ADBC's and have the SQLSTATE of the server.

    pyarrow's reader raises an OSError with the text alone. This one, which the driver's DB-API module uses, has no public name.
    """
    from adbc_driver_manager._reader import AdbcRecordBatchReader  # a reader of another database needs no ADBC

    return cast("pyarrow.RecordBatchReader", AdbcRecordBatchReader._import_from_c(result.address))  # noqa: SLF001
