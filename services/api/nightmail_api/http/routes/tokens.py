"""Access: tokens with a name and a role, made, listed and revoked by an admin."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from nightmail_api.access.tokens import NameInUse, NoSuchToken, Role, TokenEntry
from nightmail_api.http.dependencies import Api
from nightmail_api.http.problems import NameTaken, NotFound
from nightmail_api.http.routes.common import Admin, Moment, json_response, problems
from nightmail_api.http.routing import Route
from nightmail_api.http.schemas import TokenList, TokenMade

router = APIRouter(route_class=Route, tags=["tokens"], prefix="/tokens")

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"


class TokenRequest(BaseModel):
    """Whose token it is to be, and what it may do. `admin` is the name of the token of the settings."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=NAME_PATTERN, description="1 to 64 letters, digits, `.`, `_`, `@` and `-`; unique.")
    role: Role
    expires_at: Moment | None = Field(default=None, description="When its time is over; null: never.")

    @field_validator("expires_at")
    @classmethod
    def _is_to_come(cls, expires_at: datetime | None) -> datetime | None:
        if expires_at is not None and expires_at <= datetime.now(UTC):
            raise ValueError("that time is over")
        return expires_at


@router.post("", status_code=201, response_model=TokenMade, responses=problems(409, has_body=True))
async def create_token(principal: Admin, api: Api, wanted: TokenRequest) -> Response:
    """Make a token. The answer is the only place that ever shows it."""
    try:
        if wanted.name == "admin":
            raise NameInUse
        entry, token = await api.tokens.create(wanted.name, wanted.role, principal.name, wanted.expires_at)
    except NameInUse:
        raise NameTaken(
            f"there is a token named {wanted.name!r} already", errors=[("name", "the name is taken")]
        ) from None
    return json_response(_answer(entry) | {"token": token}, 201)


@router.get("", response_model=TokenList, responses=problems())
async def list_tokens(_: Admin, api: Api) -> Response:
    """List the tokens, without the tokens themselves."""
    return json_response({"items": [_answer(entry) for entry in await api.tokens.list()]})


@router.delete("/{name}", status_code=204, responses=problems(404))
async def revoke_token(
    _: Admin, api: Api, name: Annotated[str, Path(description="The token's name.", examples=["dashboard"])]
) -> Response:
    """End a token, at once and on every replica."""
    try:
        await api.tokens.revoke(name)
    except NoSuchToken:
        raise NotFound(f"there is no token named {name!r}") from None
    return Response(status_code=204)


def _answer(entry: TokenEntry) -> dict[str, str | None]:
    return {
        "name": entry.name,
        "role": entry.role,
        "created_at": entry.created_at,
        "created_by": entry.created_by,
        "expires_at": entry.expires_at,
    }
