"""The Python client of Nightmail's REST API: `Nightmail`, and `AsyncNightmail` for asyncio."""

from typing import TYPE_CHECKING, Any

from nightmail_client.blocking.client import Nightmail
from nightmail_client.errors import (
    CannotReach,
    FieldProblem,
    JobChanged,
    NameTaken,
    NightmailError,
    NotAllowed,
    NotThere,
    RunTimeout,
)

if TYPE_CHECKING:
    from nightmail_client.asynchronous.client import AsyncNightmail

__all__ = [
    "AsyncNightmail",
    "CannotReach",
    "FieldProblem",
    "JobChanged",
    "NameTaken",
    "Nightmail",
    "NightmailError",
    "NotAllowed",
    "NotThere",
    "RunTimeout",
]


def __getattr__(name: str) -> Any:
    # A program that uses one client does not import the other, which costs a command 20 ms.
    if name == "AsyncNightmail":
        from nightmail_client.asynchronous.client import AsyncNightmail

        return AsyncNightmail
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
