"""A command of `nightmail` in a fork of the service starter, which has imported every command.

COMMAND_ARGUMENTS has its arguments as JSON. Its stderr is the file COMMAND_ERRORS.
"""

import json
import os
import sys

from nightmail_cli.main import app

if __name__ == "__main__":
    errors = os.open(os.environ.pop("COMMAND_ERRORS"), os.O_WRONLY)
    os.dup2(errors, 2)
    os.close(errors)
    sys.argv = ["nightmail", *json.loads(os.environ.pop("COMMAND_ARGUMENTS"))]
    app(prog_name="nightmail")
