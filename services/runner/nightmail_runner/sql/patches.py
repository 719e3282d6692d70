"""Workarounds for pyarrow."""

import sys
from importlib.machinery import ModuleSpec


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
