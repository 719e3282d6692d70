"""The one text of an error, and the one error of a start."""


class CannotStart(Exception):
    """The machine lacks something that the process needs; the message names the setting that helps."""


def describe_error(error: BaseException) -> str:
    """Return what an error says, or the name of its class if it says nothing (as a `TimeoutError` does)."""
    return str(error) or type(error).__name__
