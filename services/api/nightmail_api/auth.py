"""Who calls, and what a route lets whom do."""

import hashlib
import hmac
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from fastapi import Request

from nightmail_api.problems import Problem

Role = Literal["viewer", "editor", "admin"]

#: A role may do what those before it may.
ROLES: tuple[Role, ...] = ("viewer", "editor", "admin")


class NotAuthenticated(Problem):
    """The request has no bearer token, or one that is not known."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The token is good, but its role may not do this."""

    status = HTTPStatus.FORBIDDEN


@dataclass(frozen=True)
class Principal:
    """Who calls: `name` is the `actor` of the events that come of it."""

    name: str
    role: Role


class Tokens:
    """The tokens that are known, as hashes."""

    def __init__(self, admin_token: str) -> None:
        self._admin = _digest(admin_token)

    def principal(self, token: str) -> Principal | None:
        """Return whose token it is; None if it is nobody's."""
        if hmac.compare_digest(_digest(token), self._admin):
            return Principal("admin", "admin")
        return None


class Permission:
    """A route's dependency: lets in who has this role or a higher one, and returns who it is."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self._rank = ROLES.index(role)

    async def __call__(self, request: Request) -> Principal:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated("send the header 'Authorization: Bearer TOKEN'")
        tokens: Tokens = request.app.state.parts.tokens
        principal = tokens.principal(token.strip())
        if principal is None:
            raise NotAuthenticated("the token is not known")
        if ROLES.index(principal.role) < self._rank:
            raise Forbidden(f"this needs the role {self.role}; the token's is {principal.role}")
        return principal


viewer = Permission("viewer")
editor = Permission("editor")
admin = Permission("admin")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
