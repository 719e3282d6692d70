"""Make `nightmail_client/blocking` from `nightmail_client/asynchronous`: the same calls without `await`.

Run it after each change of the one; a test fails if the other is stale.
"""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "nightmail_client"
ASYNCHRONOUS = PACKAGE / "asynchronous"
BLOCKING = PACKAGE / "blocking"
DOCUMENT = '"""The client without asyncio. `generate.py` makes this folder from `asynchronous`: edit that one."""\n'
#: Rewrites of the source that turn an asynchronous client into a blocking one.
REPLACEMENTS = (
    (r"import asyncio\n", "import time\n"),
    (r"import time\nimport time\n", "import time\n"),
    (r"asyncio\.sleep", "time.sleep"),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync([A-Z])", r"\1"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\ba(close|read)\b", r"\1"),
    (r"\baiter_lines\b", "iter_lines"),
    (r"nightmail_client\.asynchronous", "nightmail_client.blocking"),
    (r"for item in ([^\n]+):\n +yield item\n", r"yield from \1\n"),
)


def blocking(text: str) -> str:
    """Return the text of a module without asyncio, with its imports in order, formatted."""
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    for command in (["check", "--quiet", "--select", "I", "--fix"], ["format"]):
        ruff = [
            str(Path(sys.executable).with_name("ruff")),
            *command,
            "--stdin-filename",
            str(BLOCKING / "module.py"),
            "-",
        ]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


def modules() -> dict[Path, str]:
    """Return every module of the folder `blocking`, as it should be."""
    made = {BLOCKING / path.name: blocking(path.read_text()) for path in ASYNCHRONOUS.glob("*.py")}
    return made | {BLOCKING / "__init__.py": DOCUMENT}


if __name__ == "__main__":
    BLOCKING.mkdir(exist_ok=True)
    for path, text in modules().items():
        path.write_text(text)
