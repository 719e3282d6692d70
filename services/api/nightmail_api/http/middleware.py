"""What holds for every request and answer: a largest body, headers that keep browsers careful, an answer to HEAD."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightmail_api.http.problems import bug_response, problem_response

#: A job is a script of at most 128 KiB, in JSON at worst six times that, and a few short fields.
MAX_BODY_BYTES = 1024 * 1024
TOO_LARGE = f"a body has at most {MAX_BODY_BYTES} bytes"

#: Nothing is loaded, nobody may frame it. The pages of a few routes say what else they need.
POLICY = "default-src 'none'; frame-ancestors 'none'"
CAREFUL_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", POLICY.encode()),
]
#: It never ends, so it has no head that could be told without its body.
STREAM = "/events/stream"


class Borders:
    """ASGI middleware: refuses a body that is too large (413), adds the security headers, answers for our own faults."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = 0
        answered = False
        # The server knows that HEAD was asked for, and sends no body.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" and scope["path"] != STREAM else scope

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                scope["route"] = inner.get("route")
                given = {name for name, _ in message["headers"]}
                careful = (header for header in CAREFUL_HEADERS if header[0] not in given)
                message["headers"] = [*message["headers"], *careful]
            await send(message)

        if _content_length(scope) > MAX_BODY_BYTES:
            answer = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, headers={"Connection": "close"})
            await answer(scope, receive, send_with_headers)
            return
        if b"%2f" in (scope.get("raw_path") or b"").lower():
            # Decoded it would be a border between two parts of the path, and the request one for something else.
            answer = problem_response(HTTPStatus.NOT_FOUND, "there is no such path: no name has a '/' in it")
            await answer(scope, receive, send_with_headers)
            return
        try:
            await self._app(inner, receive_within_limit, send_with_headers)
        except Exception as error:
            if answered:
                raise
            await bug_response(inner, error)(scope, receive, send_with_headers)


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
