"""The ASGI application: routes, problems, documentation."""

from importlib.metadata import version

from fastapi import FastAPI

from nightmail_api.parts import Parts
from nightmail_api.problems import add_problem_handlers
from nightmail_api.routes import events, health, jobs, runs, schedules, versions

DESCRIPTION = """
Nightmail runs your pandas scripts on schedule and mails the result as CSV.

Send `Authorization: Bearer TOKEN` on everything but health. Errors are problem documents (RFC 9457).
"""


def build_application(parts: Parts) -> FastAPI:
    """Return the application. Its documentation is open: it says what may be asked and holds nobody's data."""
    app = FastAPI(
        title="Nightmail",
        version=version("nightmail-api"),
        description=DESCRIPTION,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    add_problem_handlers(app)
    for module in (jobs, versions, runs, events, schedules, health):
        app.include_router(module.router)
    return app
