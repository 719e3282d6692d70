"""The ASGI application: middleware, routes, exception handlers, OpenAPI."""

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.routing import Route

from nightmail_api.agents.endpoint import PATH, McpEndpoint
from nightmail_api.http.compression import CompressionMiddleware
from nightmail_api.http.dependencies import AppState
from nightmail_api.http.exception_handlers import add_exception_handlers
from nightmail_api.http.middleware import BodyLimitMiddleware, InternalErrorMiddleware, SecurityHeadersMiddleware
from nightmail_api.http.openapi import openapi
from nightmail_api.http.patches import EncodedSlashMiddleware, HeadMiddleware, StreamDisconnectMiddleware
from nightmail_api.http.routes import (
    asyncapi,
    console,
    diffs,
    docs,
    events,
    files,
    health,
    inputs,
    jobs,
    mail,
    oidc,
    overview,
    rendered_mail,
    resends,
    runs,
    schedules,
    session,
    slices,
    slots,
    stats,
    system,
    tokens,
    versions,
)
from nightmail_api.http.routing import AFTER
from nightmail_api.metrics import MetricsMiddleware, count_errors_from_zero

DESCRIPTION = """
Nightmail runs pandas scripts on a schedule and mails the result as CSV.

Send `Authorization: Bearer TOKEN` with every request but those for health; the console sends a session's cookie instead.
A replica answers a request with `X-Nightmail-After: SEQ` once it has applied the event of that `seq`, for callers who know it from
another replica; if it has not in 2 seconds, the answer is 503.
Errors are problem documents (RFC 9457); `errors` names the field. Each role includes the one before it: `viewer` reads,
`editor` changes jobs and requests runs, `admin` manages tokens and erases.
"""

MODULES = (
    jobs,
    versions,
    resends,
    runs,
    rendered_mail,
    inputs,
    slices,
    diffs,
    mail,
    events,
    schedules,
    slots,
    stats,
    overview,
    system,
    files,
    session,
    oidc,
    tokens,
    health,
    docs,
    asyncapi,
    console,
)
TAGS = [
    {"name": "jobs", "description": "What runs, when, on which data, and who receives the result."},
    {"name": "versions", "description": "The earlier versions of a job, who changed it, and rollback."},
    {"name": "runs", "description": "Runs, their outcome and their result."},
    {"name": "mail", "description": "The delivery ledger, a mail sent again, and the signed links that mails contain."},
    {"name": "events", "description": "The audit log, in its one order."},
    {"name": "schedules", "description": "What a schedule means, and what became of its due times."},
    {"name": "files", "description": "The files that jobs read: upload, download, delete."},
    {
        "name": "session",
        "description": "Sign-in of the console: a cookie instead of a token, and what the caller may do.",
    },
    {"name": "tokens", "description": "Tokens and their roles."},
    {"name": "system", "description": "The services, the SMTP server, what waits, and what is wrong."},
    {"name": "health", "description": "Liveness, readiness and metrics."},
]


def build_application(state: AppState, cors_origins: Sequence[str] = ()) -> FastAPI:
    """Return the application. Its documentation needs no token, because it contains no data."""
    app = FastAPI(
        title="Nightmail",
        version=version("nightmail-api"),
        description=DESCRIPTION,
        openapi_url=None,  # `routes.docs` serves the document
        docs_url=None,
        redoc_url=None,
        openapi_tags=TAGS,
        # A flat list: since 0.137 FastAPI matches an included router twice for each request, which costs 20 µs.
        routes=[
            *(route for module in MODULES for router in module.routers for route in router.routes),
            Route(PATH, McpEndpoint(), include_in_schema=False),
        ],
        redirect_slashes=False,
    )
    app.state.app_state = state
    count_errors_from_zero(app.routes)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=cors_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Last-Event-ID", AFTER],
            expose_headers=["ETag", "Retry-After"],
        )
    # From the innermost to the outermost.
    for middleware in (
        HeadMiddleware,
        EncodedSlashMiddleware,
        StreamDisconnectMiddleware,
        InternalErrorMiddleware,
        CompressionMiddleware,
        BodyLimitMiddleware,
        SecurityHeadersMiddleware,
        MetricsMiddleware,
    ):
        app.add_middleware(middleware)
    add_exception_handlers(app)
    app.openapi = partial(openapi, app)  # type: ignore[method-assign]
    return app
