"""The text of an error, and the errors that several packages raise."""


class CannotStart(Exception):
    """The machine lacks something that the process needs; the message names the setting that helps."""


class UnreadableEvent(Exception):
    """A reader of the log cannot use the event; the message has the reason and no value of the event."""


def describe_error(error: BaseException) -> str:
    """Return the text of an error, or the name of its class if the text is empty (as for `TimeoutError`)."""
    return str(error) or type(error).__name__
