"""Liveness, and readiness with a reason per dependency. No token: a supervisor asks."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from nightmail_api.http.routes.common import json_response
from nightmail_api.http.routing import Route
from nightmail_api.http.schemas import Live, Ready

router = APIRouter(route_class=Route, tags=["health"], prefix="/health")


@router.get("/live", response_model=Live)
async def live() -> Response:
    """Say that the process answers."""
    return json_response({"status": "live"})


@router.get("/ready", response_model=Ready, responses={503: {"model": Ready, "description": "Not ready, and why"}})
async def ready(request: Request) -> Response:
    """Say whether every dependency is ready, with a reason for each that is not."""
    is_ready, dependencies = request.app.state.parts.health.report()
    status = "ready" if is_ready else "not ready"
    return json_response({"status": status, "dependencies": dependencies}, 200 if is_ready else 503)
