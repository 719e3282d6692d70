"""What the routes work with, wired once in `main`."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from nightmail_api.audit import AuditLog
from nightmail_api.auth import Failures
from nightmail_api.commands import Commands
from nightmail_api.oidc import Issuer
from nightmail_api.previews import Previews
from nightmail_api.problems import NotReady
from nightmail_api.read_model import ReadModel
from nightmail_api.reader import Reader
from nightmail_api.results import Results
from nightmail_api.tokens import Tokens
from nightmail_common.health import Health
from nightmail_common.log import EventLog


@dataclass(frozen=True)
class Parts:
    tokens: Tokens
    failures: Failures
    #: Whose tokens are good beside our own.
    issuer: Issuer | None
    health: Health
    log: EventLog
    audit: AuditLog
    model: ReadModel
    read: Reader
    commands: Commands
    results: Results
    previews: Previews
    default_timezone: str
    #: What signs the links in mails.
    secret_key: str
    #: Set when the service drains: what streams for ever must end.
    stopping: asyncio.Event


async def ready_parts(request: Request) -> Parts:
    """Return the parts.

    Raises:
        NotReady: the read model still catches up with the log.
    """
    parts: Parts = request.app.state.parts
    if (reason := parts.model.reason_not_ready()) is not None:
        raise NotReady(reason)
    return parts


Api = Annotated[Parts, Depends(ready_parts)]
