"""Whether the read model's database takes what the projection asks of it; a change of the state is one log line."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from nightmail_api.read_model.database import DatabaseUnavailable

logger = structlog.get_logger()


class DatabaseState:
    """The kinds of calls that fail.

    A full disk answers reads and refuses writes: a kind of call that failed works again only when it has succeeded itself.
    """

    def __init__(self) -> None:
        self._failing: set[str] = set()

    def is_available(self) -> bool:
        return not self._failing

    @contextmanager
    def during(self, call: str) -> Iterator[None]:
        """Keep how a call of this kind ended."""
        try:
            yield
        except DatabaseUnavailable as error:
            if not self._failing:
                logger.warning("database_not_reachable", error=str(error))
            self._failing.add(call)
            raise
        if call in self._failing:
            self._failing.remove(call)
            if not self._failing:
                logger.info("database_reachable")
