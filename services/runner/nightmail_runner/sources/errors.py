"""The errors of a fetch."""


class CannotFetch(Exception):
    """The data cannot be fetched. The message is for the job's owner."""


class SourceRefused(CannotFetch):
    """The source answered with a status that says no."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TransientFailure(Exception):
    """An attempt failed, and the next one may succeed.

    `retry_after_seconds`: how long the source asks to wait (Retry-After).
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
