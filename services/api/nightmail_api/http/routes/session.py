"""The console's sign-in: a token or a one-time code for a cookie, and who the caller is."""

from typing import Self

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nightmail_api.access.authentication import NotAuthenticated, address
from nightmail_api.access.one_time_codes import MAX_CODE_CHARS
from nightmail_api.access.session_cookie import check_not_cross_site, delete_cookie, set_cookie
from nightmail_api.access.tokens import ROLES, Principal
from nightmail_api.http.dependencies import AppState, State
from nightmail_api.http.problems import Forbidden
from nightmail_api.http.responses import json_response, problems
from nightmail_api.http.routing import Caller, Route, ViewerRoute
from nightmail_api.http.schemas import Me, SessionCode

anyone = APIRouter(route_class=Route, tags=["session"])
viewer = APIRouter(route_class=ViewerRoute, tags=["session"])
routers = (anyone, viewer)

#: What each role adds, in the order of `ROLES`.
PERMISSIONS = ("read", "edit", "administer")
#: JWTs of an issuer take up to a few KiB.
MAX_TOKEN_CHARS = 8192


class SessionRequest(BaseModel):
    """A token, or a one-time code of `nightmail up` or `nightmail open`: exactly one of the two."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"token": "nm_mfrggzdfmztwq2lknnwg23tpob_0aVw"}]}
    )

    token: str | None = Field(default=None, min_length=1, max_length=MAX_TOKEN_CHARS, description="A token.")
    code: str | None = Field(
        default=None, min_length=1, max_length=MAX_CODE_CHARS, description="A one-time code.", examples=[None]
    )

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.token is None) == (self.code is None):
            raise ValueError("give either a token or a code")
        return self


@anyone.post("/session", status_code=201, response_model=Me, responses=problems(has_body=True))
async def begin_session(request: Request, state: State, body: SessionRequest) -> Response:
    """Sign in: the response sets the cookie of a session, which ends after a week, or with its token."""
    check_not_cross_site(request)
    authenticator = state.authenticator
    if body.token is not None:
        principal = await authenticator.token_principal(body.token.strip(), address(request))
    else:
        assert body.code is not None
        principal = await authenticator.code_principal(body.code.strip(), address(request))
    begun = await state.sessions.begin(principal)
    if begun is None:
        raise NotAuthenticated("the token was revoked")
    cookie, expires_at = begun
    response = json_response(_fields(principal, state) | {"expires_at": expires_at}, 201)
    set_cookie(request, response, cookie, expires_at)
    return response


@anyone.delete("/session", status_code=204, responses=problems())
async def end_session(request: Request) -> Response:
    """Sign out: the browser forgets the session."""
    check_not_cross_site(request)
    response = Response(status_code=204)
    delete_cookie(request, response)
    return response


@viewer.post("/session/codes", status_code=201, response_model=SessionCode, responses=problems())
async def issue_code(caller: Caller, state: State) -> Response:
    """Issue a one-time code for the caller's own token: a link that opens the console once, within ten minutes."""
    issued = None if caller.token_key is None else await state.sessions.issue_code(caller.token_key)
    if issued is None:
        raise Forbidden("only a token of Nightmail gets a code; the OIDC issuer's users sign in with the issuer")
    code, expires_at = issued
    return json_response({"code": code, "path": f"/console/#start={code}", "expires_at": expires_at}, 201)


@viewer.get("/me", response_model=Me, responses=problems())
async def who_am_i(caller: Caller, state: State) -> Response:
    """Return the caller's name, role and permissions, and where the event stream must start to miss nothing."""
    return json_response(_fields(caller, state) | {"expires_at": caller.expires_at})


def _fields(principal: Principal, state: AppState) -> dict[str, object]:
    may = PERMISSIONS[: ROLES.index(principal.role) + 1]
    return {"name": principal.name, "role": principal.role, "may": may, "sequence": state.model.applied}
