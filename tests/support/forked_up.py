"""`nightmail up` in a fork of the service starter: its supervisor and all of its processes are forks with their imports done.

To start it as a user does takes 9 seconds of processor time, most of it for imports. UP_ARGUMENTS has its arguments as JSON.
"""

import json
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

import setproctitle

from nightmail_cli.main import app

_execve = os.execve
#: `nightmail up` starts a module of its own as `python -P -m MODULE ARGUMENTS`.
_PYTHON = [sys.executable, "-P", "-m"]


def _become(path: str, command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Run a module of Nightmail in this process, and execute every other command (execve)."""
    words = list(command)
    if words[:3] != _PYTHON:
        _execve(path, words, environment)
    setproctitle.setproctitle(" ".join(words))
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words[3:]
    runpy.run_module(words[3], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    os.execve = _become  # type: ignore[assignment]
    sys.argv = ["nightmail", "up", *json.loads(os.environ.pop("UP_ARGUMENTS"))]
    app(prog_name="nightmail")
