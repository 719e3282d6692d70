"""The ASGI application: routes, problems, documentation."""

from collections.abc import Sequence
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from nightmail_api.borders import Borders
from nightmail_api.parts import Parts
from nightmail_api.problems import add_problem_handlers
from nightmail_api.routes import events, health, jobs, mail, runs, schedules, tokens, versions

DESCRIPTION = """
Nightmail runs your pandas scripts on schedule and mails the result as CSV.

Send `Authorization: Bearer TOKEN` on everything but health. Errors are problem documents (RFC 9457).
"""


def build_application(parts: Parts, cors_origins: Sequence[str] = ()) -> FastAPI:
    """Return the application. Its documentation is open: it says what may be asked and holds nobody's data."""
    app = FastAPI(
        title="Nightmail",
        version=version("nightmail-api"),
        description=DESCRIPTION,
        redoc_url=None,
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
    add_problem_handlers(app)
    for module in (jobs, versions, runs, mail, events, schedules, tokens, health):
        # One flat list: an included router is searched on its own, which costs every request.
        app.router.routes.extend(module.router.routes)
    return app
