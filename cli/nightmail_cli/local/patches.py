"""Workarounds for structlog and httpx."""

import sys


def leave_out_rich() -> None:
    """Let no library import rich, which the command needs and no service does; call it before the first import of one.

    structlog and httpx's own command import it, and with it pygments and attrs, wherever it is installed: 4 MB.
    """
    for name in ("rich", "httpx._main"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
