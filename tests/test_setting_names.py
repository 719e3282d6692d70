"""Messages name a setting as the user has to write it, with its prefix."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from nightmail_api.settings import ApiSettings
from nightmail_cli.local.up import UpSettings
from nightmail_common.service.settings import PREFIX
from nightmail_mailer.settings import MailerSettings
from nightmail_runner.settings import RunnerSettings
from nightmail_ticker.settings import TickerSettings

ROOT = Path(__file__).parents[1]
SETTINGS = {
    field.upper()
    for settings in (ApiSettings, UpSettings, MailerSettings, RunnerSettings, TickerSettings)
    for field in settings.model_fields
    if "_" in field
} | {"CONNECTION_<NAME>", "SECRET_<NAME>"}
BARE = re.compile(rf"(?<![A-Z_])(?:{'|'.join(map(re.escape, sorted(SETTINGS)))})(?![A-Z_])")


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module that are sentences or parts of one, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    left_out = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and "PREFIX" in ast.dump(node):  # the prefix stands before the name
            left_out |= {id(value) for value in node.values}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in left_out
            and not node.value.replace("_", "").isalnum()  # a name alone is no message
        ):
            yield node.lineno, node.value


def test_every_message_names_a_setting_with_its_prefix() -> None:
    assert {"SCRIPT_IMPORTS", "MAX_ROWS", "FETCH_ALLOW", "DATA_DIR"} <= SETTINGS
    bare = [
        f"{path.relative_to(ROOT)}:{line}: {found[0]}"
        for folder in ("libs", "services", "cli")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in messages(path)
        if (found := BARE.search(text)) is not None
    ]
    assert bare == [], f"write {PREFIX} before these names"
