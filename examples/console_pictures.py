"""Draw docs/images/console-*.png: pages of the console with the example jobs, in Debian's Chromium (`make pictures`).

A system of its own runs on free ports and in a temporary folder. One job fails, so that Overview has something to say.
"""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import expect, sync_playwright

from nightmail_cli.commands.gallery import document

PICTURES = Path("docs/images")
#: Page of the console -> picture, theme, width in pixels.
SHOWN = {
    "": ("overview", "light", 1200),
    "jobs/new": ("new", "light", 1200),
    "jobs/new?from=seattle-weather": ("edit", "light", 1200),
    "jobs/sales%20by%20region": ("job", "dark", 1200),
    "mail": ("mail", "light", 1200),
    "system": ("system", "dark", 360),
}
HEIGHT_PIXELS = 900
DEADLINE_SECONDS = 120


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        port, nats_port = _free_port(), _free_port()
        command = [str(Path(sys.executable).with_name("nightmail")), "up", "--data-dir", folder]
        options = ["--port", str(port), "--nats-port", str(nats_port), "--runners", "1"]
        system = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            api = _api(f"http://127.0.0.1:{port}", Path(folder))
            _run_examples(api)
            _draw(api)
        finally:
            system.send_signal(signal.SIGTERM)
            system.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _api(url: str, folder: Path) -> httpx.Client:
    """Return a client of the admin, once the system is ready."""
    api = httpx.Client(base_url=url, timeout=30)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            if api.get("/health/ready").status_code == 200:
                api.headers["Authorization"] = f"Bearer {(folder / 'admin-token').read_text().strip()}"
                return api
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("error: the system was not ready in time")


def _run_examples(api: httpx.Client) -> None:
    gallery = document()
    for path, text in gallery["files"].items():
        api.put(f"/files/{path}", content=text.encode()).raise_for_status()
    jobs = [example["job"] for example in gallery["examples"]]
    broken = jobs[0] | {
        "job_name": "sensor drift",
        "processing_script": "known = data.dropna()\nreturn known[['sensro']]",
    }
    runs = []
    for job in [*jobs, broken]:
        api.post("/jobs", json=job).raise_for_status()
        runs.append(api.post(f"/jobs/{job['job_name']}/run").json()["run_id"])
    waiting, deadline = set(runs), time.monotonic() + DEADLINE_SECONDS
    while waiting and time.monotonic() < deadline:
        ended = {"delivered", "failed", "undelivered", "skipped"}
        waiting = {run for run in waiting if api.get(f"/runs/{run}").json()["status"] not in ended}
        time.sleep(0.2)


def _draw(api: httpx.Client) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("error: Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for path, (name, theme, width) in SHOWN.items():
            size = {"width": width, "height": HEIGHT_PIXELS}
            context = browser.new_context(viewport=size, color_scheme=theme, timezone_id="Europe/Paris")  # type: ignore[arg-type]
            page = context.new_page()
            code = api.post("/session/codes").json()["code"]
            page.goto(f"{api.base_url}/console/{path}#start={code}")
            page.wait_for_selector("main h1")
            if "from=" in path:
                page.wait_for_selector("iframe.mail", timeout=DEADLINE_SECONDS * 1000)
            expect(page.locator(".placeholder")).to_have_count(0)
            picture = PICTURES / f"console-{name}.png"
            page.wait_for_timeout(500)
            page.screenshot(path=picture)
            context.close()
            print(picture)
        browser.close()


if __name__ == "__main__":
    main()
