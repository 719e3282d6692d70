"""Every workaround for FastAPI (0.165) and Starlette (1.10), each with the upstream issue."""

from http import HTTPStatus
from typing import Any

from anyio import BrokenResourceError
from fastapi import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightmail_api.http.problems import problem_response

#: HEAD of an endless stream would never end.
ENDLESS_PATH = "/events/stream"


class HeadMiddleware:
    """Serve HEAD as GET: FastAPI's GET routes refuse it (https://github.com/fastapi/fastapi/issues/1773)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != "HEAD" or scope["path"] == ENDLESS_PATH:
            await self._app(scope, receive, send)
            return
        # A copy: the server reads the method from the scope that it made, and sends no body.
        get_scope = {**scope, "method": "GET"}

        async def send_with_route(message: Message) -> None:
            scope["route"] = get_scope.get("route")
            await send(message)

        await self._app(get_scope, receive, send_with_route)


class EncodedSlashMiddleware:
    """Answer 404 to a path with `%2F`: Starlette matches the decoded path, so `/jobs/a%2Frun` would run the job `a`.

    https://github.com/Kludex/starlette/issues/826. No name of ours has a `/`, so there is no such path; but a file's path has, and
    `%2F` in it means the same.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw_path = (scope.get("raw_path") or b"").lower()
        if scope["type"] == "http" and b"%2f" in raw_path and not raw_path.startswith(b"/files/"):
            response = problem_response(HTTPStatus.NOT_FOUND, "there is no such path: no name contains a '/'")
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class StreamDisconnectMiddleware:
    """End an event stream whose client is gone without an error.

    FastAPI raises it when an event waits to be sent at that moment, and the server logs a traceback for each client
    (https://github.com/fastapi/fastapi/discussions/15725).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except* BrokenResourceError:
            if scope.get("path") != ENDLESS_PATH:
                raise


def allowed_methods(request: Request) -> list[str]:
    """Return every method of a request's path: Starlette's `Allow` names those of the first route of that path only."""
    routes = request.app.routes
    path = next(route.path for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in routes if route.path == path for method in route.methods}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def remove_422(document: dict[str, Any]) -> None:
    """Remove the 422 that FastAPI documents for every route with parameters, and that no route answers.

    https://github.com/fastapi/fastapi/issues/3650
    """
    for schema in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(schema, None)
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
