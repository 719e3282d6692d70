"""What the command `nightmail` says, and the job file that its tests give it."""

import json
import os
from pathlib import Path
from typing import Any

import yaml

from e2e.conftest import Nightmail


def name_in(path: Path) -> str:
    return str(yaml.safe_load(path.read_text())["job_name"])


def said(nightmail: Nightmail, *arguments: str | Path) -> str:
    ended = nightmail.command_line(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def as_json(nightmail: Nightmail, *arguments: str | Path) -> Any:
    return json.loads(said(nightmail, *arguments, "--json"))


def refused(nightmail: Nightmail, status: int, *arguments: str | Path) -> str:
    ended = nightmail.command_line(*arguments)
    assert (ended.returncode, ended.stdout) == (status, ""), ended
    return ended.stderr


def change(path: Path, **fields: Any) -> None:
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | fields))


def without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("NIGHTMAIL_")}


def said_with(nightmail: Nightmail, *arguments: str | Path, **environment: str) -> str:
    ended = nightmail.command_line(*arguments, **environment)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
