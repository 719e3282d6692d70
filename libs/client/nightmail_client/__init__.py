"""The Python client of Nightmail's REST API: `Nightmail`, and `AsyncNightmail` for asyncio."""

from nightmail_client.asynchronous.client import AsyncNightmail
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
