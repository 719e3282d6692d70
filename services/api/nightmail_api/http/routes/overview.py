"""The first page of the console in one answer."""

import json
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from nightmail_api.http.day_schemas import MailCounts
from nightmail_api.http.dependencies import AppState, State
from nightmail_api.http.responses import encoded_response, problems
from nightmail_api.http.routes.jobs import JobSummary
from nightmail_api.http.routing import ViewerRoute
from nightmail_api.http.schemas import Mail
from nightmail_api.read_model.overview import OverviewParts, overview
from nightmail_common.broker.errors import BROKER_ERRORS

viewer = APIRouter(route_class=ViewerRoute, tags=["system"])
routers = (viewer,)


class Setup(BaseModel):
    """Which of the first steps are done."""

    report: bool = Field(description="A job exists.", examples=[True])
    mail_server: bool = Field(
        description="The mailers send through a server that is not the catcher.", examples=[False]
    )
    tested: bool = Field(description="They do so, and a mail of a run was accepted.", examples=[False])
    invited: bool = Field(description="Somebody besides the first admin has a token, or an issuer's.", examples=[False])


class Overview(BaseModel):
    """How things stand: the jobs that need a person (10 at most), the next 12 due, the last 5 mails refused within a day."""

    jobs: int = Field(examples=[42])
    paused: int = Field(examples=[1])
    failing: list[JobSummary]
    more_failing: bool = Field(examples=[False])
    next: list[JobSummary]
    refused: list[Mail]
    mails_today: MailCounts = Field(description="The mails of this day in UTC.")
    is_caught: bool = Field(description="Mail is kept here and reaches nobody.", examples=[False])
    problems: list[str] = Field(
        description="What is wrong with the system itself (`GET /system`).",
        examples=[["mail.example.com:587: connection refused"]],
    )
    setup: Setup | None = Field(description="null while the broker does not answer, or no mailer runs.")


@viewer.get("/overview", response_model=Overview, responses=problems())
async def read_overview(request: Request, state: State) -> Response:
    """Return how things stand, in one answer of bounded size."""
    parts = await state.read(overview, datetime.now(UTC))
    system = await request.app.state.app_state.system()
    smtp = system["smtp"]
    rest = {
        "jobs": parts.jobs,
        "paused": parts.paused,
        "more_failing": parts.more_failing,
        "mails_today": parts.mails_today,
        "is_caught": smtp is not None and smtp["catcher"],
        "problems": [check["detail"] for check in system["checks"] if check["state"] == "problem"],
        "setup": await _setup(state, parts, smtp),
    }
    lists = {"failing": parts.failing, "next": parts.next, "refused": parts.refused}
    encoded = [f'"{name}":[{",".join(items)}]' for name, items in lists.items()]
    return encoded_response(f"{json.dumps(rest)[:-1]},{','.join(encoded)}}}")


async def _setup(state: AppState, parts: OverviewParts, smtp: dict[str, Any] | None) -> dict[str, bool] | None:
    if smtp is None:
        return None
    has_server = not smtp["catcher"]
    try:
        return {
            "report": parts.jobs > 0,
            "mail_server": has_server,
            "tested": has_server and parts.was_mailed,
            "invited": state.oidc_sign_in is not None or await state.tokens.has_any(),
        }
    except BROKER_ERRORS:
        return None
