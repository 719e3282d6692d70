"""The state of the whole system, and a test of its SMTP server."""

from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from nightmail_api.http.dependencies import AppState
from nightmail_api.http.responses import json_response, problems
from nightmail_api.http.routing import Caller, EditorRoute, ViewerRoute
from nightmail_api.http.system_schemas import SystemStatus, TestMailRequest, TestMailResult

viewer = APIRouter(route_class=ViewerRoute, tags=["system"])
editor = APIRouter(route_class=EditorRoute, tags=["system"])
routers = (viewer, editor)

logger = structlog.get_logger()


@viewer.get("/system", response_model=SystemStatus, responses=problems())
async def read_system(request: Request) -> Response:
    """Return every service's replicas, version, readiness and backlog, the SMTP server, and what is wrong.

    It answers while the broker or the database is away too; the answer is at most a second old.
    """
    return json_response(await request.app.state.app_state.system())


@editor.post("/system/test-mail", response_model=TestMailResult, responses=problems(has_body=True))
async def send_test_mail(request: Request, caller: Caller, body: TestMailRequest) -> Response:
    """Send a test mail as a mailer would, and return each step of the SMTP session, up to the first that failed."""
    state: AppState = request.app.state.app_state
    steps = await state.smtp_checks.send(body.recipient, caller.name)
    failed: dict[str, Any] | None = next((step for step in steps if not step["ok"]), None)
    logger.info("test_mail_requested", actor=caller.name, ok=failed is None)
    failed_at = None if failed is None else failed["step"]
    return json_response({"ok": failed is None, "failed_at": failed_at, "steps": steps})
