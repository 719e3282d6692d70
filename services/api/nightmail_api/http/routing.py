"""What is looked at before a request is read: who asks, by which parameters, in which form.

FastAPI parses a body before it asks a route's dependencies, so a caller without a token could make it parse anything.
"""

import json
from collections.abc import Callable, Coroutine, Iterator
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.responses import Response
from fastapi.routing import APIRoute

from nightmail_api.access.authentication import Permission
from nightmail_api.http.problems import NotValid, Problem

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class NotJson(Problem):
    """The body is of another type than JSON, or says so."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class Route(APIRoute):
    """A route that knows its one permission; none for what is open to everybody.

    With one, a parameter that the route does not have, or that is there twice, is an error that names it: a filter
    with a slip in its name must not answer everything. Links that everybody may follow get parameters on their way.
    """

    def get_route_handler(self) -> _Handler:
        handle = _direct_handler(self.dependant) or super().get_route_handler()
        permission = next(permissions(self.dependant), None)
        parameters = {parameter.alias for parameter in _query_parameters(self.dependant)}
        takes_body = self.body_field is not None

        async def look_then_handle(request: Request) -> Response:
            if permission is not None:
                await permission.admit(request)
                _check_query(request, parameters)
            if takes_body:
                _check_form(request)
                request = JsonRequest(request.scope, request.receive)
            return await handle(request)

        return look_then_handle


class JsonRequest(Request):
    """A request whose body is JSON as RFC 8259 has it: UTF-8, no NaN, and no name twice in an object."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_no_number)
        except json.JSONDecodeError:
            raise
        except UnicodeDecodeError:
            raise json.JSONDecodeError("not UTF-8", "", 0) from None
        except RecursionError:
            raise json.JSONDecodeError("nested too deeply", "", 0) from None
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from None


def _direct_handler(dependant: Dependant) -> _Handler | None:
    """Return what handles a request that is only a path, the same as FastAPI would; None if the route takes more.

    To find out for each request that a route has no other parameters takes FastAPI as long as all the rest of an answer.
    """
    if dependant.query_params or dependant.header_params or dependant.cookie_params or dependant.body_params:
        return None
    if dependant.path_params or dependant.request_param_name is not None or dependant.call is None:
        return None
    for one in dependant.dependencies:
        more = one.dependencies or one.query_params or one.header_params or one.cookie_params or one.body_params
        if more or one.name is None or any(field.field_info.annotation is not str for field in one.path_params):
            return None
    endpoint: Callable[..., Coroutine[Any, Any, Response]] = dependant.call
    steps: list[tuple[str, Callable[..., Coroutine[Any, Any, Any]], str | None, list[str]]] = [
        (str(one.name), _called(one), one.request_param_name, [field.alias for field in one.path_params])
        for one in dependant.dependencies
    ]

    async def handle(request: Request) -> Response:
        values = {}
        for name, call, request_name, path_names in steps:
            arguments = {path_name: request.path_params[path_name] for path_name in path_names}
            if request_name is not None:
                arguments[request_name] = request
            values[name] = await call(**arguments)
        return await endpoint(**values)

    return handle


def _called(dependant: Dependant) -> Callable[..., Coroutine[Any, Any, Any]]:
    assert dependant.call is not None
    return dependant.call


def permissions(dependant: Dependant) -> Iterator[Permission]:
    """Yield the permissions that a route declares."""
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Permission):
            yield dependency.call
        yield from permissions(dependency)


def _query_parameters(dependant: Dependant) -> Iterator[Any]:
    yield from dependant.query_params
    for dependency in dependant.dependencies:
        yield from _query_parameters(dependency)


def _check_query(request: Request, parameters: set[str]) -> None:
    if not request.scope["query_string"]:
        return
    given = [name for name, _ in request.query_params.multi_items()]
    wrong = [(name, "there is no such parameter") for name in dict.fromkeys(given) if name not in parameters]
    wrong += [(name, "given more than once") for name in parameters if given.count(name) > 1]
    if wrong:
        raise NotValid(
            "1 field is not valid" if len(wrong) == 1 else f"{len(wrong)} fields are not valid", errors=wrong
        )


def _check_form(request: Request) -> None:
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise NotJson("send JSON, with the header 'Content-Type: application/json'")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise NotJson("send the body as it is, without a Content-Encoding")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:100]!r} is there twice")
    return read


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")
