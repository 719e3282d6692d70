"""How many things of one kind a caller, and all callers of this replica together, may have open at a time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from nightmail_api.http.problems import NotReady, Problem
from nightmail_api.metrics import QUOTA_REFUSALS


class TooManyRequests(Problem):
    """The caller has too many of them open; the others go on."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Quota:
    """Counts what is open, by the caller's token.

    Args:
        kind: what is counted, in the plural.
    """

    def __init__(self, kind: str, per_caller: int, in_all: int) -> None:
        self._kind = kind
        self._per_caller = per_caller
        self._in_all = in_all
        self._open: Counter[str] = Counter()

    @contextmanager
    def hold(self, caller: str) -> Iterator[None]:
        """Count one while inside.

        Raises:
            TooManyRequests: the caller has as many as one may have.
            NotReady: all callers together have as many as this replica serves.
        """
        if self._open[caller] >= self._per_caller:
            QUOTA_REFUSALS.labels(self._kind).inc()
            detail = f"the token {caller!r} has {self._per_caller} {self._kind} open, the most of one token"
            raise TooManyRequests(detail, headers={"Retry-After": "5"})
        if self._open.total() >= self._in_all:
            QUOTA_REFUSALS.labels(self._kind).inc()
            raise NotReady(f"this replica serves {self._in_all} {self._kind} at a time", retry_after_seconds=5)
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]
