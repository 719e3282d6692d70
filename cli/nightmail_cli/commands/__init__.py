"""The commands that are clients of the API and of the event log."""
