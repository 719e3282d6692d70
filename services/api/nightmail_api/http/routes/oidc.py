"""The console's sign-in at an OpenID Connect issuer, and which ways to sign in there are."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from nightmail_api.access.authentication import address
from nightmail_api.access.oidc_sign_in import SIGN_IN_LIFE, Failure, OidcSignIn, SignInFailed
from nightmail_api.access.quota import TooManyRequests
from nightmail_api.access.session_cookie import set_cookie, set_sign_in_cookie, sign_in_cookie_name
from nightmail_api.http.dependencies import State
from nightmail_api.http.problems import NotFound, NotReady
from nightmail_api.http.responses import json_response, problems
from nightmail_api.http.routing import Route

anyone = APIRouter(route_class=Route, tags=["session"])
routers = (anyone,)

CONSOLE = "/console/"
CALLBACK = "/session/oidc/callback"

logger = structlog.get_logger()


class SignInMethods(BaseModel):
    """How to sign in besides with a token or a code: `oidc` is the issuer, null if it is not set."""

    oidc: str | None = Field(examples=["https://login.example.com/realms/main"])


@anyone.get("/session", response_model=SignInMethods, responses=problems())
async def sign_in_methods(state: State) -> Response:
    """Return how to sign in besides with a token or a code."""
    return json_response({"oidc": None if state.oidc_sign_in is None else state.oidc_sign_in.issuer_url})


@anyone.get("/session/oidc", include_in_schema=False)
async def begin_sign_in(
    request: Request, state: State, path: Annotated[str, Query(alias="next", max_length=2048)] = CONSOLE
) -> Response:
    """Send the browser to the issuer's page; afterwards it comes back to the callback."""
    sign_in = _of(state)
    try:
        page, cookie = await sign_in.begin(_callback(request), path if path.startswith(CONSOLE) else CONSOLE)
    except SignInFailed as error:
        return _back(error.failure, error)
    response = RedirectResponse(page, 303)
    set_sign_in_cookie(request, response, cookie, int(SIGN_IN_LIFE.total_seconds()))
    return response


@anyone.get(CALLBACK, include_in_schema=False)
async def finish_sign_in(request: Request, state: State) -> Response:
    """Sign in whom the issuer sent back; the response sets the cookie of a session, and leads into the console."""
    sign_in = _of(state)
    cookie = request.cookies.get(sign_in_cookie_name(request), "")
    try:
        with state.sign_ins.hold(address(request)):
            principal, path = await sign_in.finish(_callback(request), cookie, request.query_params)
    except SignInFailed as error:
        response = _back(error.failure, error)
    except (NotReady, TooManyRequests) as error:  # one address has all of them, as that of a proxy may
        response = _back("unreachable", error)
    else:
        begun = await state.sessions.begin(principal)
        assert begun is not None  # it names no token that could be revoked
        response = RedirectResponse(path, 303)
        set_cookie(request, response, *begun)
    set_sign_in_cookie(request, response, "", 0)
    return response


def _of(state: State) -> OidcSignIn:
    if state.oidc_sign_in is None:
        raise NotFound("nobody signs in at an issuer here: NIGHTMAIL_OIDC_CLIENT_ID is not set")
    return state.oidc_sign_in


def _callback(request: Request) -> str:
    """Return the callback's URL as the browser knows this host. The issuer accepts only registered ones."""
    return f"{request.url.scheme}://{request.url.netloc}{CALLBACK}"


def _back(failure: Failure, reason: Exception) -> Response:
    logger.warning("sign_in_failed", failure=failure, reason=str(reason))
    return RedirectResponse(f"{CONSOLE}#sign-in={failure}", 303)
