"""Pages of the console with recorded answers of the API, at the time of the record: only a change of the console changes what they
show. `make looks` records the answers and draws the reference pictures.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from console.visit import Visitor
from e2e.conftest import Nightmail
from nightmail_api.http.routes import console
from nightmail_cli.commands.gallery import document
from support.deadlines import scaled
from support.looks import REFERENCES, draw_in_one_font, picture_of

ANSWERS = REFERENCES / "console.har"
RECORDED = REFERENCES / "console.json"
#: A browser trusts this host like an encrypted one; nothing listens there.
HOST = "http://localhost"
API = re.compile(r"^http://[^/]+/(?!console/)")
HEIGHT_PIXELS = 900


class Screen(NamedTuple):
    """What a page is shown on; the width is in pixels."""

    name: str
    width: int
    theme: Literal["light", "dark"] = "light"
    forced_colours: Literal["active", "none"] = "none"


SCREENS = (Screen("light", 1200), Screen("dark", 360, "dark"), Screen("forced", 1200, forced_colours="active"))
#: A stream that opens and says nothing.
SILENT_STREAM = """
window.EventSource = class {
    constructor() { setTimeout(() => this.onopen()) }
    close() {}
}
"""


def reference(page: str, screen: Screen) -> Path:
    return REFERENCES / f"console-{page}-{screen.name}.png"


@contextmanager
def recorded_pages(browser: Browser, screen: Screen) -> Iterator[Iterator[tuple[str, Page]]]:
    """Yield the name of each page, and the page as the recorded answers fill it. A request that was not recorded fails.

    One tab shows all of them in turn: a tab of its own for each takes a second of processor time more.
    """
    recorded: dict[str, Any] = json.loads(RECORDED.read_text())
    application = FastAPI()
    application.include_router(console.anyone)
    files = TestClient(application)

    def serve_file(route: Route) -> None:
        answer = files.get(route.request.url)
        headers = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
        route.fulfill(status=answer.status_code, headers=headers, body=answer.content)

    with _standing_still(browser, datetime.fromisoformat(recorded["at"]), screen) as context:
        context.route_from_har(ANSWERS, url=API, not_found="abort")
        context.route(f"{HOST}/console/**", serve_file)
        page = context.new_page()
        yield ((name, _loaded(page, f"{HOST}/console/{path}")) for name, path in recorded["pages"].items())


@contextmanager
def _standing_still(browser: Browser, at: datetime, screen: Screen) -> Iterator[BrowserContext]:
    """Yield a browser whose clock stands still, and which hears no event."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": HEIGHT_PIXELS},
        color_scheme=screen.theme,
        forced_colors=screen.forced_colours,
        timezone_id="Europe/Paris",
        reduced_motion="reduce",
        bypass_csp=True,
    )
    context.set_default_timeout(scaled(10) * 1000)
    context.add_init_script(SILENT_STREAM)
    context.clock.set_fixed_time(at)
    yield context
    context.close()
    context.close()


def _loaded(page: Page, url: str) -> Page:
    if page.url.startswith(HOST):
        page.evaluate("sessionStorage.clear()")  # a new tab has an empty one
    page.goto(url)
    page.locator("main h1").wait_for()
    # The script is a text field until its editor is loaded.
    expect(page.locator(".placeholder, .code-plain")).to_have_count(0)
    return page


def record() -> None:
    """Run the examples of the gallery, and write the answers, the time, the pages and the reference pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        system = Nightmail(Path(folder))
        system.start()
        pages, at = _pages(system), datetime.now(UTC).replace(microsecond=0)
        RECORDED.write_text(json.dumps({"at": at.isoformat(), "pages": pages}, indent=2) + "\n")
        _record_answers(browser, system, list(pages.values()), at)
        system.stop()
        for screen in SCREENS:
            with recorded_pages(browser, screen) as drawn:
                for name, page in drawn:
                    draw_in_one_font(page)
                    picture_of(page).save(reference(name, screen), optimize=True)
        browser.close()


def _pages(system: Nightmail) -> dict[str, str]:
    """Run every example of the gallery, and a job that fails; return the path of each page by its name."""
    gallery = document()
    for path, text in gallery["files"].items():
        system.call("PUT", f"/files/{path}", content=text.encode())
    jobs = [example["job"] for example in gallery["examples"]]
    script = "known = data.dropna()\nreturn known[['sensro']]"
    jobs.append(jobs[0] | {"job_name": "sensor drift", "processing_script": script})
    runs = {}
    for job in jobs:
        system.create(**job)
        runs[job["job_name"]] = _ended_run(system, job["job_name"])
    name = "sales by region"
    [sales] = [job for job in jobs if job["job_name"] == name]
    other = sales["processing_script"].replace("data.unit_price", "data.unit_price.round()")
    assert other != sales["processing_script"]
    changed = system.call("PUT", f"/jobs/{name}", json=sales | {"processing_script": other})
    assert changed.status_code == 200, changed.text
    again = _ended_run(system, name)
    job_path = f"jobs/{name.replace(' ', '%20')}"
    return {
        "overview": "",
        "jobs": "jobs",
        "job": job_path,
        "edit": f"{job_path}/edit",
        "run": f"runs/{again}",
        "failed-run": f"runs/{runs['sensor drift']}",
        "difference": f"runs/{runs[name]}/diff/{again}",
        "mail": "mail",
        "calendar": f"calendar/{datetime.now(UTC).year}",
        "system": "system",
    }


def _ended_run(system: Nightmail, job: str) -> str:
    run = system.run(job)
    system.run_when(run, "delivered", "failed", "skipped")
    return run


def _record_answers(browser: Browser, system: Nightmail, paths: list[str], at: datetime) -> None:
    """Write the answers that the pages ask for, each once."""
    token = system.call("POST", "/tokens", json={"name": "ann", "role": "admin"}).json()["token"]
    with _standing_still(browser, at, SCREENS[0]) as context:
        context.new_page().goto(f"{system.url}/console/#start={Visitor(system).code(token)}")
        context.pages[0].get_by_text("ann (admin)").wait_for()
        context.route_from_har(ANSWERS, url=API, update=True, update_content="embed")
        for path in paths:
            _loaded(context.pages[0], f"{system.url}/console/{path}")
    har = json.loads(ANSWERS.read_text().replace(system.url, HOST))
    entries = {(entry["request"]["method"], entry["request"]["url"]): entry for entry in har["log"]["entries"]}
    for entry in entries.values():
        entry["request"]["headers"] = []
    har["log"]["entries"] = list(entries.values())
    ANSWERS.write_text(json.dumps(har, indent=1) + "\n")


if __name__ == "__main__":
    record()
