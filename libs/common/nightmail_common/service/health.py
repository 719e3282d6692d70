"""Health and metrics over HTTP: `/health/live`, `/health/ready` with a reason per dependency, `/metrics`."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

#: Returns None if the dependency is ready, else the reason why not.
Check = Callable[[], str | None]
_Message = MutableMapping[str, Any]


class Health:
    """The dependencies of a service and whether each is ready, as an ASGI application."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, dependency: str, check: Check) -> None:
        self._checks[dependency] = check

    def report(self) -> tuple[bool, dict[str, str]]:
        """Return whether all dependencies are ready, and `ok` or the reason for each."""
        reasons = {dependency: check() for dependency, check in self._checks.items()}
        ready = bool(reasons) and not any(reasons.values())
        return ready, {dependency: reason or "ok" for dependency, reason in reasons.items()}

    async def __call__(
        self, scope: _Message, _receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/metrics":
            await _respond(send, 200, CONTENT_TYPE_LATEST, generate_latest())
            return
        body: dict[str, Any]
        if scope["path"] == "/health/live":
            status, body = 200, {"status": "live"}
        elif scope["path"] == "/health/ready":
            ready, dependencies = self.report()
            status = 200 if ready else 503
            body = {"status": "ready" if ready else "not ready", "dependencies": dependencies}
        else:
            status, body = 404, {"status": "not found"}
        await _respond(send, status, "application/json", json.dumps(body).encode())


async def _respond(send: Callable[[_Message], Awaitable[None]], status: int, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
