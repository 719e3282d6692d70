"""What the routes work with, wired once in `main`."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from nightmail_api.access.authentication import Failures
from nightmail_api.access.oidc import Issuer
from nightmail_api.access.tokens import Tokens
from nightmail_api.commands.job_commands import Commands
from nightmail_api.commands.previews import Previews
from nightmail_api.http.problems import NotReady
from nightmail_api.read_model.event_queries import AuditLog
from nightmail_api.read_model.query_executor import Reader
from nightmail_api.read_model.read_model import ReadModel
from nightmail_api.read_model.results import Results
from nightmail_common.broker.log import EventLog
from nightmail_common.service.health import Health


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
