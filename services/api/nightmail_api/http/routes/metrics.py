"""What the API counts, in Prometheus' text format."""

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from nightmail_api.http.routes.common import Viewer, problems
from nightmail_api.http.routing import Route

router = APIRouter(route_class=Route, tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "The metrics", "content": {"text/plain": {}}}, **problems()},
)
async def read_metrics(_: Viewer) -> Response:
    """Return what this process counts, for Prometheus; the other services have theirs beside their health."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
