"""The state of the whole system."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from nightmail_api.http.responses import json_response, problems
from nightmail_api.http.routing import ViewerRoute
from nightmail_api.http.system_schemas import SystemStatus

viewer = APIRouter(route_class=ViewerRoute, tags=["system"])
routers = (viewer,)


@viewer.get("/system", response_model=SystemStatus, responses=problems())
async def read_system(request: Request) -> Response:
    """Return every service's replicas, version, readiness and backlog, the SMTP server, and what is wrong.

    It answers while the broker or the database is away too; the answer is at most a second old.
    """
    return json_response(await request.app.state.app_state.system())
