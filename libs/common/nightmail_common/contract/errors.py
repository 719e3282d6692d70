"""The one text of an error."""


def describe_error(error: BaseException) -> str:
    """Return what an error says, or the name of its class if it says nothing (as a `TimeoutError` does)."""
    return str(error) or type(error).__name__
