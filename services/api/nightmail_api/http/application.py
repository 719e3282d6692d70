"""The ASGI application: routes, problems, documentation."""

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from nightmail_api.http.dependencies import Parts
from nightmail_api.http.middleware import Borders
from nightmail_api.http.openapi import describe
from nightmail_api.http.problems import add_problem_handlers
from nightmail_api.http.routes import docs, events, health, jobs, mail, metrics, runs, schedules, tokens, versions
from nightmail_api.metrics import Measured

DESCRIPTION = """
Nightmail runs your pandas scripts on schedule and mails the result as CSV.

Send `Authorization: Bearer TOKEN` on everything but health. Errors are problem documents (RFC 9457); `errors` names the
field. A role may do what those before it may: `viewer` reads, `editor` changes jobs and asks for runs, `admin` makes
tokens and erases.
"""

TAGS = [
    {"name": "jobs", "description": "What runs when, on which data, for whom."},
    {"name": "versions", "description": "What a job was, who changed it, and the way back."},
    {"name": "runs", "description": "What ran, how it ended, what came out."},
    {"name": "mail", "description": "Send once more; and the signed links that mails carry."},
    {"name": "events", "description": "The audit log, in its one order."},
    {"name": "schedules", "description": "What a schedule means."},
    {"name": "tokens", "description": "Who may do what."},
    {"name": "health", "description": "Whether it works, and how much."},
]


def build_application(parts: Parts, cors_origins: Sequence[str] = ()) -> FastAPI:
    """Return the application. Its documentation is open: it says what may be asked and holds nobody's data."""
    app = FastAPI(
        title="Nightmail",
        version=version("nightmail-api"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_tags=TAGS,
        redirect_slashes=False,
    )
    app.state.parts = parts
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=cors_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Last-Event-ID"],
            expose_headers=["ETag", "Retry-After"],
        )
    app.add_middleware(Borders)
    app.add_middleware(Measured)
    add_problem_handlers(app)
    for module in (jobs, versions, runs, mail, events, schedules, tokens, metrics, health, docs):
        # One flat list: an included router is searched on its own, which costs every request.
        app.router.routes.extend(module.router.routes)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return app
