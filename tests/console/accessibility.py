"""What axe finds wrong with a page."""

from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: The console's own axe-core is newer than the one that the package has, and finds more; it is there after `npm ci`.
CONSOLE_AXE = Path(__file__).parents[2] / "console/node_modules/axe-core/axe.min.js"
SCRIPT = CONSOLE_AXE.read_text() if CONSOLE_AXE.exists() else AXE_SCRIPT

#: WCAG 2.2 AA and the rules below it, as axe-core names them.
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    # WCAG 2.5.3; an experimental rule in some versions of axe-core.
    "rules": {"label-content-name-mismatch": {"enabled": True}},
    "resultTypes": ["violations"],
}


def violations(page: Page) -> list[str]:
    found = Axe(SCRIPT).run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found]
