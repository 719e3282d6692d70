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
        #: The last error of each.
        self._failing: dict[str, str] = {}

    def is_available(self) -> bool:
        return not self._failing

    def error(self) -> str | None:
        """Return the error of the database or its driver; None if the database is available."""
        return next(reversed(self._failing.values()), None)

    @contextmanager
    def during(self, call: str) -> Iterator[None]:
        """Keep how a call of this kind ended."""
        try:
            yield
        except DatabaseUnavailable as error:
            if not self._failing:
                logger.warning("database_not_reachable", error=str(error))
            self._failing[call] = str(error)
            raise
        if self._failing.pop(call, None) is not None and not self._failing:
            logger.info("database_reachable")
