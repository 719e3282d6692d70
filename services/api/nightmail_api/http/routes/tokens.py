"""Tokens with a name and a role: an admin creates, lists and revokes them."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, Field, field_validator

from nightmail_api.access.tokens import NameInUse, NoSuchToken, Role, TokenEntry
from nightmail_api.http.dependencies import State
from nightmail_api.http.problems import Conflict, NotFound
from nightmail_api.http.responses import json_response, problems
from nightmail_api.http.routes.parameters import Moment
from nightmail_api.http.routing import AdminRoute, Caller
from nightmail_api.http.schemas import TokenCreated, TokenList

admin = APIRouter(route_class=AdminRoute, tags=["tokens"], prefix="/tokens")
routers = (admin,)

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"


class TokenRequest(BaseModel, extra="forbid"):
    """The token to create. The name `admin` belongs to the token of the settings."""

    name: str = Field(
        pattern=NAME_PATTERN,
        description="1 to 64 letters, digits, `.`, `_`, `@` and `-`; unique.",
        examples=["dashboard"],
    )
    role: Role = Field(examples=["viewer"])
    expires_at: Moment | None = Field(default=None, description="When it expires; null: never.", examples=[None])

    @field_validator("expires_at")
    @classmethod
    def _is_in_the_future(cls, expires_at: datetime | None) -> datetime | None:
        if expires_at is not None and expires_at <= datetime.now(UTC):
            raise ValueError("that time is in the past")
        return expires_at


@admin.post("", status_code=201, response_model=TokenCreated, responses=problems(409, has_body=True))
async def create_token(caller: Caller, state: State, body: TokenRequest) -> Response:
    """Create a token. Only this response contains it."""
    try:
        if body.name == "admin":
            raise NameInUse
        entry, token = await state.tokens.create(body.name, body.role, caller.name, body.expires_at)
    except NameInUse:
        detail = f"there is a token named {body.name!r} already"
        raise Conflict(detail, errors=[("name", "the name is taken")]) from None
    return json_response(_fields(entry) | {"token": token}, 201)


@admin.get("", response_model=TokenList, responses=problems())
async def list_tokens(state: State) -> Response:
    """List the tokens, without the tokens themselves."""
    return json_response({"items": [_fields(entry) for entry in await state.tokens.list()]})


@admin.delete("/{name}", status_code=204, responses=problems(404))
async def revoke_token(
    state: State, name: Annotated[str, Path(description="The token's name.", examples=["dashboard"])]
) -> Response:
    """Revoke a token, at once and on every replica."""
    try:
        await state.tokens.revoke(name)
    except NoSuchToken:
        raise NotFound(f"there is no token named {name!r}") from None
    return Response(status_code=204)


def _fields(entry: TokenEntry) -> dict[str, str | None]:
    return {
        "name": entry.name,
        "role": entry.role,
        "created_at": entry.created_at,
        "created_by": entry.created_by,
        "expires_at": entry.expires_at,
    }
