"""The commands that talk to the API and the log."""
