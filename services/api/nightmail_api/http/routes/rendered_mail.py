"""The mail of a run, as recipients see it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from nightmail_api.http.dependencies import State
from nightmail_api.http.responses import problems
from nightmail_api.http.routes.parameters import RunId
from nightmail_api.http.routing import Caller, ViewerRoute

#: The page may do nothing but show itself: styles of its own and images inside it. The console may frame it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'; sandbox"
)
_MAIL: dict[str, Any] = {
    "description": "The mail",
    "content": {
        "text/html": {"schema": {"type": "string"}, "example": "<!doctype html><html><body>…</body></html>"},
        "text/plain": {"schema": {"type": "string"}, "example": "daily sales\n2026-11-23 09:00\n…"},
    },
}

viewer = APIRouter(route_class=ViewerRoute, tags=["runs"])
routers = (viewer,)


@viewer.get("/runs/{run_id}/mail", response_class=Response, responses={200: _MAIL, **problems(404, 410)})
async def get_mail(
    caller: Caller,
    state: State,
    run_id: RunId,
    part: Annotated[Literal["html", "text"], Query(description="The part of the mail.")] = "html",
) -> Response:
    """Return the mail of a run's result or failure as recipients see it, without their links to unsubscribe.

    A mailer renders it now. It has no recipient's address, and its figures are inside the page.
    """
    mail = await state.rendered_mails.of_run(str(run_id), caller.name)
    if part == "text":
        return Response(mail["text"], media_type="text/plain; charset=utf-8")
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return Response(mail["html"], headers=headers, media_type="text/html; charset=utf-8")
