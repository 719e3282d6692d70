"""Fetching: HTTP and files, with address checks and secrets."""
