"""`docs/log-events.md` has every log event of the services, with its level, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Named after the outcome's event (`delivery.py`).
OF_OUTCOMES = {("mail_sent", "info"), ("mail_failed", "info")}
LEVELS = {"debug", "info", "warning", "error", "exception"}
_NAME = re.compile(r"[a-z]+(_[a-z]+)+")


def logged() -> Iterator[tuple[str, str]]:
    """Yield the name and the level of each call of a logger."""
    modules = (path for folder in ("services", "libs", "cli") for path in (ROOT / folder).rglob("nightmail_*/**/*.py"))
    for module in modules:
        for call in ast.walk(ast.parse(module.read_text())):
            match call:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"), attr=level), args=[event, *_]) if (
                    level in LEVELS
                ):
                    for part in ast.walk(event):
                        if isinstance(part, ast.Constant) and _NAME.fullmatch(str(part.value)):
                            yield str(part.value), "error" if level == "exception" else level


def documented() -> Iterator[tuple[str, str]]:
    for line in (ROOT / "docs/log-events.md").read_text().splitlines():
        if line.startswith("| `"):
            names, level, meaning, action = (cell.strip() for cell in line.strip("|").split(" | "))
            assert meaning
            assert action
            assert level in {"debug", "info"} or action != "-" or "again" in meaning or "skipped" in meaning, line
            yield from ((name, one) for name in re.findall(r"`(\w+)`", names) for one in level.split(", "))


def test_every_log_event_is_documented_with_its_level() -> None:
    listed = list(documented())
    assert len(listed) == len(set(listed)), "each once"
    assert set(logged()) | OF_OUTCOMES == set(listed)
