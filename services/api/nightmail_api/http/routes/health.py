"""Liveness and readiness, which need no token because supervisors call them; and the metrics."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from nightmail_api.http.responses import json_response, problems
from nightmail_api.http.routing import Route, ViewerRoute
from nightmail_api.http.schemas import Live, Ready

anyone = APIRouter(route_class=Route, tags=["health"])
viewer = APIRouter(route_class=ViewerRoute, tags=["health"])
routers = (anyone, viewer)


@anyone.get("/health/live")
async def live() -> Live:
    """Return that the process answers."""
    return Live(status="live")


@anyone.get(
    "/health/ready", response_model=Ready, responses={503: {"model": Ready, "description": "Not ready, with reasons"}}
)
async def ready(request: Request) -> Response:
    """Return whether every dependency is ready, with a reason for each that is not."""
    is_ready, dependencies = request.app.state.app_state.health.report()
    status = "ready" if is_ready else "not ready"
    return json_response({"status": status, "dependencies": dependencies}, 200 if is_ready else 503)


@viewer.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "The metrics, in Prometheus' text format",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": "process_open_fds 31.0\n"}},
        },
        **problems(),
    },
)
async def read_metrics() -> Response:
    """Return the metrics of this process; the other services serve theirs beside their health."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
