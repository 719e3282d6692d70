"""The command `nightmail`."""

__version__ = "0.1.0"
