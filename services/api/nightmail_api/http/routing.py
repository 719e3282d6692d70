"""The route classes of the API, one for each role: authenticate, refuse unknown parameters, read strict JSON.

FastAPI parses the body before it resolves a route's dependencies, so a permission that is a dependency lets a caller
without a token make it parse anything. Custom route and request classes are FastAPI's documented way to act before.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, get_origin

from fastapi import Depends, Request
from fastapi.exceptions import HTTPException
from fastapi.responses import Response
from fastapi.routing import APIRoute

from nightmail_api.access.authentication import Authenticator
from nightmail_api.access.tokens import ROLES, Principal, Role
from nightmail_api.http.dependencies import AppState, check_in_log
from nightmail_api.http.field_errors import MAX_HINTS, unknown_name
from nightmail_api.http.problems import AnyFieldError, Forbidden, NotReady, ValidationProblem
from nightmail_api.read_model.read_model import NotApplied

#: The header of a caller who knows an event, perhaps from another replica: an answer must not be older.
AFTER = "X-Nightmail-After"
MAX_SEQUENCE_DIGITS = 19
#: A replica that does not catch up within this time answers 503.
AFTER_SECONDS = 2.0


class Route(APIRoute):
    """A route that needs no token, and ignores unknown parameters: mail programs add their own to links."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_strict_json(request: Request) -> Response:
            return await handle(StrictJsonRequest(request.scope, request.receive))

        return handle_strict_json


class ViewerRoute(Route):
    """A route for callers with a role, or a higher one.

    An unknown or repeated query parameter is an error that names it: a filter with a misspelled name must not return
    everything.
    """

    role: ClassVar[Role] = "viewer"

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # OpenAPI 3.1 lists the roles that an operation requires in its security requirement.
        options["openapi_extra"] = (options.get("openapi_extra") or {}) | {"security": [{"bearer": [self.role]}]}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = {field.alias: get_origin(field.field_info.annotation) is list for field in self.dependant.query_params}

        async def authenticate_and_handle(request: Request) -> Response:
            authenticator: Authenticator = request.app.state.app_state.authenticator
            principal = await authenticator.authenticate(request)
            if ROLES.index(principal.role) < ROLES.index(self.role):
                raise Forbidden(f"this needs the role {self.role}; the token's is {principal.role}")
            request.state.principal = principal
            _check_query(request, known)
            if (after := request.headers.get(AFTER)) is not None:
                await _wait_for(after, request.app.state.app_state)
            return await handle(request)

        return authenticate_and_handle


class EditorRoute(ViewerRoute):
    """A route for editors and admins."""

    role = "editor"


class AdminRoute(ViewerRoute):
    """A route for admins."""

    role = "admin"


async def _principal(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


#: The caller of a route that needs a role.
Caller = Annotated[Principal, Depends(_principal)]


class StrictJsonRequest(Request):
    """A request whose body is JSON as in RFC 8259: UTF-8, without NaN, and without two equal names in an object."""

    async def body(self) -> bytes:
        """Return the body. FastAPI calls this for routes that have one.

        Raises:
            HTTPException: 415, the content type is not JSON, or the content is encoded.
        """
        headers = self.headers
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            kind, _, subtype = headers.get("content-type", "").partition(";")[0].strip().lower().partition("/")
            if kind != "application" or not (subtype == "json" or subtype.endswith("+json")):
                detail = "send JSON, with the header 'Content-Type: application/json'"
                raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
            if headers.get("content-encoding", "identity").lower() != "identity":
                raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body without a Content-Encoding")
        return await super().body()

    async def json(self) -> Any:
        """Return the parsed body.

        Raises:
            json.JSONDecodeError: the body is not strict JSON.
        """
        body = await self.body()
        try:
            return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_refuse_constant)
        except json.JSONDecodeError:
            raise
        except UnicodeDecodeError:
            raise json.JSONDecodeError("not UTF-8", "", 0) from None
        except RecursionError:
            raise json.JSONDecodeError("nested too deeply", "", 0) from None
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from None


async def _wait_for(after: str, state: AppState) -> None:
    """Return once the replica has applied the event of a sequence.

    Raises:
        ValidationProblem: it is no sequence, or the log has no such event.
        NotReady: the replica has not applied it in time.
    """
    if not (after.isascii() and after.isdigit() and len(after) <= MAX_SEQUENCE_DIGITS):
        raise ValidationProblem((AFTER, "must be the sequence of an event: a whole number of at most 19 digits"))
    try:
        await state.model.until(int(after), AFTER_SECONDS)
    except NotApplied:
        await check_in_log(AFTER, int(after), state)
        raise NotReady(f"this replica has not applied event {after} yet", retry_after_seconds=1) from None


def _check_query(request: Request, known: dict[str, bool]) -> None:
    """Check the names of a request's query parameters.

    Args:
        known: the names, and whether each is a list, which may occur more than once.

    Raises:
        ValidationProblem: one is unknown, or occurs more than once and is no list.
    """
    if not request.scope["query_string"]:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    unknown = (name for name in dict.fromkeys(names) if name not in known)
    errors: list[AnyFieldError] = [
        unknown_name(name, "there is no such parameter", name, known) for name in itertools.islice(unknown, MAX_HINTS)
    ]
    errors += [
        (name, "given more than once") for name, is_list in known.items() if not is_list and names.count(name) > 1
    ]
    if errors:
        raise ValidationProblem(*errors)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        repeated = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"the name {repeated[:100]!r} occurs twice")
    return parsed


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")
