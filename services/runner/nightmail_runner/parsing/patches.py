"""Workarounds for pyarrow."""

import sys

_REMOTE_FILE_SYSTEMS = ("_azurefs", "_gcsfs", "_hdfs", "_s3fs")


def leave_out_remote_file_systems() -> None:
    """Let `pyarrow.parquet` import no file system but the local one; call it before that import.

    It imports `pyarrow.fs`, which imports every file system that pyarrow was built with (pyarrow 26). Those load 17 MB of
    libraries, and a worker has no network. Without a module, `pyarrow.fs` says that it is not supported.
    """
    for name in _REMOTE_FILE_SYSTEMS:
        sys.modules.setdefault(f"pyarrow.{name}", None)  # type: ignore[arg-type]
