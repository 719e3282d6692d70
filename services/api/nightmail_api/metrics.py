"""The API's metrics for Prometheus: requests, failed authentications, and the lag of the read model, the disk."""

import shutil
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightmail_api.http.middleware import route_path

#: Bounds in seconds, from a query of the read model to a preview.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 90)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
#: The label of requests whose path matches no route.
NO_ROUTE = "none"

REQUESTS = Counter(
    "nightmail_api_requests", "Requests answered, by the documented path of the route.", ("method", "route", "status")
)
DURATION = Histogram(
    "nightmail_api_request_duration_seconds",
    "Seconds from a request to the start of its response.",
    ("method", "route"),
    buckets=_BUCKETS,
)
AUTH_FAILURES = Counter(
    "nightmail_api_auth_failures",
    "Requests without a valid token, by reason: missing, wrong, session, limited.",
    ("reason",),
)
# Exported from 0: an alert on its increase sees the first one.
for _reason in ("missing", "wrong", "session", "limited"):
    AUTH_FAILURES.labels(_reason)
QUOTA_REFUSALS = Counter(
    "nightmail_api_quota_refusals", "Requests refused because a token, a job or all callers have too many.", ("kind",)
)
EVENTS_APPLIED = Counter("nightmail_api_events_applied", "Events applied to the read model.")
UNREADABLE_EVENTS = Counter(
    "nightmail_api_unreadable_events",
    "Events that the read model could not apply; its table `unreadable` has the reasons.",
)
OLDEST_WAITING_MAIL = Gauge(
    "nightmail_api_oldest_waiting_mail_seconds", "How long the mail waits that waits longest; 0 if none does."
)
OLDEST_WAITING_RUN = Gauge(
    "nightmail_api_oldest_waiting_run_seconds", "How long the run waits that no runner has started; 0 if none waits."
)
LAG = Gauge("nightmail_api_projection_lag_events", "Events in the log that the read model has not applied.")
LOG_BYTES = Gauge("nightmail_api_log_bytes", "Size of the log's stream of events at the last poll, in one replica.")
DISK_FREE = Gauge("nightmail_api_disk_free_bytes", "Free space of the disk that holds the API's data folder.")
DISK_SIZE = Gauge("nightmail_api_disk_size_bytes", "Size of the disk that holds the API's data folder.")


def follow_disk(folder: Path) -> None:
    """Read the free space and the size of the folder's disk at each scrape.

    A folder that does not exist (the read model is in PostgreSQL, the token in a setting) counts as on its parent's disk.
    """

    def disk() -> Path:
        return next(path for path in (folder, *folder.absolute().parents) if path.exists())

    DISK_FREE.set_function(lambda: shutil.disk_usage(disk()).free)
    DISK_SIZE.set_function(lambda: shutil.disk_usage(disk()).total)


def follow_read_model(applied: Callable[[], int], last: Callable[[], int]) -> None:
    """Compute the lag from these two sequences at each scrape."""
    LAG.set_function(lambda: max(0, last() - applied()))


def count_errors_from_zero(routes: Iterable[BaseRoute]) -> None:
    """Export the counters of errors of ours from 0: a rate sees the first one."""
    for route in routes:
        for method in (getattr(route, "methods", None) or set()) & _METHODS:
            for status in (500, 503):
                _requests(method, getattr(route, "path", NO_ROUTE), status)


class MetricsMiddleware:
    """ASGI middleware that counts and times every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                route = route_path(scope) or NO_ROUTE
                _requests(method, route, message["status"]).inc()
                _duration(method, route).observe(time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, send_and_count)


# Bounded: the caller cannot add methods, routes or statuses.
@cache
def _requests(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, status)


@cache
def _duration(method: str, route: str) -> Histogram:
    return DURATION.labels(method, route)
