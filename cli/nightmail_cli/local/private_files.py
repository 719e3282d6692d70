"""Files with mode 0600."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically by one that only its owner can read."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    beside.rename(path)
