"""Runs the code of a test as a program, in a fork of the process that starts services (`service_starter.py`)."""

import os

exec(os.environ["EXAMPLE_CODE"])  # noqa: S102 (the code of a test)
