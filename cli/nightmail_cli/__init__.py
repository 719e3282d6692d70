"""The command `nightmail`."""
