"""What the API counts, for Prometheus: requests, refused tokens, and how far its read model is behind the log."""

import time
from collections.abc import Callable
from functools import cache

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightmail_api.http.problems import route_path

#: From a read of the projection to a command that waits for the disk, and a preview.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 90)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
#: What was asked for a path that no route has.
NO_ROUTE = "none"

REQUESTS = Counter(
    "nightmail_api_requests", "Requests answered, by the route's path as documented.", ("method", "route", "status")
)
DURATION = Histogram(
    "nightmail_api_request_duration_seconds",
    "From a request to the beginning of its answer.",
    ("method", "route"),
    buckets=_BUCKETS,
)
AUTH_FAILURES = Counter(
    "nightmail_api_auth_failures", "Requests with no good token, by why: missing, wrong, limited.", ("reason",)
)
EVENTS_APPLIED = Counter("nightmail_api_events_applied", "Events that became rows of the read model.")
LAG = Gauge("nightmail_api_projection_lag_events", "Events that are in the log and not yet in the read model.")


def follow_read_model(applied: Callable[[], int], last: Callable[[], int]) -> None:
    """Have the read model's gauge show how far it is behind whenever it is looked at."""
    LAG.set_function(lambda: max(0, last() - applied()))


class Measured:
    """ASGI middleware: counts and times every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                route = route_path(scope) or NO_ROUTE
                _requests(method, route, message["status"]).inc()
                _duration(method, route).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, send_and_count)


# Neither methods nor routes nor statuses are the caller's to invent, so these are few.
@cache
def _requests(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, status)


@cache
def _duration(method: str, route: str) -> Histogram:
    return DURATION.labels(method, route)
