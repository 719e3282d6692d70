"""The state of the application: the objects that the routes use, created once in `main`."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from nightmail_api.access.authentication import Authenticator
from nightmail_api.access.oidc_sign_in import OidcSignIn
from nightmail_api.access.quota import Quota
from nightmail_api.access.sessions import Sessions
from nightmail_api.access.tokens import TokenStore
from nightmail_api.commands.job_commands import JobCommands
from nightmail_api.commands.previews import Previews
from nightmail_api.commands.rendered_mails import RenderedMails
from nightmail_api.commands.smtp_check import SmtpChecks
from nightmail_api.commands.source_check import SourceCheck
from nightmail_api.http.problems import NotReady, ValidationProblem
from nightmail_api.read_model.event_feed import EventFeed
from nightmail_api.read_model.event_queries import EventQueries
from nightmail_api.read_model.query_executor import QueryExecutor
from nightmail_api.read_model.read_model import ReadModel
from nightmail_api.read_model.result_diffs import ResultDiffs
from nightmail_api.read_model.result_rows import ResultRows
from nightmail_api.read_model.results import Results
from nightmail_api.retention.kept_inputs import KeptInputs
from nightmail_api.system.report import SystemReport
from nightmail_common.broker.file_store import FileStore
from nightmail_common.broker.log import EventLog
from nightmail_common.service.fair_slots import FairSlots
from nightmail_common.service.health import Health


@dataclass(frozen=True)
class AppState:
    """What the routes use."""

    tokens: TokenStore
    authenticator: Authenticator
    sessions: Sessions
    #: None: nobody signs in at an issuer here.
    oidc_sign_in: OidcSignIn | None
    #: The sign-ins that wait for the issuer.
    sign_ins: Quota
    health: Health
    log: EventLog
    audit: EventQueries
    feed: EventFeed
    model: ReadModel
    read: QueryExecutor
    commands: JobCommands
    results: Results
    diffs: ResultDiffs
    rows: ResultRows
    previews: Previews
    rendered_mails: RenderedMails
    smtp_checks: SmtpChecks
    sources: SourceCheck
    system: SystemReport
    files: FileStore
    inputs: KeptInputs
    #: The uploads in progress.
    uploads: Quota
    #: The lists of events that are read from the log.
    event_lists: FairSlots
    #: The open event streams.
    streams: Quota
    default_timezone: str
    #: Signs the links in mails.
    secret_key: str
    #: Set when the service drains, so that endless streams end.
    stopping: asyncio.Event


# Dependencies are coroutines, because FastAPI runs plain functions in a thread, which costs 100 µs.
async def require_ready(request: Request) -> AppState:
    """Return the state.

    Raises:
        NotReady: the read model has not caught up with the log.
    """
    state: AppState = request.app.state.app_state
    if (reason := state.model.reason_not_ready()) is not None:
        raise NotReady(reason)
    return state


State = Annotated[AppState, Depends(require_ready)]


async def check_in_log(name: str, sequence: int, state: AppState) -> None:
    """Check that the log reaches to a sequence that a caller knows; `name` is the parameter that has it.

    Raises:
        ValidationProblem: it does not: the log was restored from a backup since.
        nats.errors.Error: the log did not answer.
    """
    if sequence > max(state.model.applied, last := await state.log.last_sequence()):
        raise ValidationProblem(
            (name, f"the log ends at event {last}: it was restored from a backup since; read all of it again")
        )
