"""The console in Debian's Chromium: its first page over a million runs, and a page under 50 events a second.

`first page`: from the begin of the navigation until the Overview shows its jobs, and answers a click, and until the axis of
all due times is drawn, too, over 10,000 jobs and 1,000,000 runs (the read model of `bench/api.py --part lists`).
`events`: the longest task of the browser's main thread while 50 events a second arrive on the page that shows most of
them. Both print their budgets, and end with 1 where one is exceeded.
"""

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import nats
from playwright.async_api import Page, async_playwright

from api_parts.lists import filled
from api_parts.process import api
from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import Event
from shared.jobs import a_run, created, make_job
from shared.nats_server import nats_server
from shared.nightmail_up import TOKEN

INTERACTIVE_BUDGET_MS, TASK_BUDGET_MS = 1000.0, 50.0
VISITS = 7
JOBS, SECONDS, EVENTS_PER_SECOND = 100, 15, 50
#: Notes each long task (W3C Long Tasks: 50 ms and more) and the longest gap between two frames.
WATCH = """() => {
    window.tasks = [];
    new PerformanceObserver((list) => list.getEntries().forEach((one) => window.tasks.push(one.duration)))
        .observe({ type: "longtask" });
    window.frames_ = [];
    let last = performance.now();
    const frame = (now) => { window.frames_.push(now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
}"""


@asynccontextmanager
async def browser_page(port: int) -> AsyncIterator[Page]:
    """Yield a page that is signed in."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{port}/console/")
        await page.get_by_label("Token").fill(TOKEN)
        await page.get_by_role("button", name="Sign in").click()
        await page.locator("[data-row]").first.wait_for()
        yield page
        await browser.close()


async def first_page() -> tuple[float, float]:
    """Return the median times in ms until the Overview is interactive, and until it is complete."""
    folder = await filled()
    interactive: list[float] = []
    complete: list[float] = []
    with nats_server(folder) as (url, _):
        async with api(folder, url) as port, browser_page(port) as page:
            for _ in range(VISITS):
                await page.goto(f"http://127.0.0.1:{port}/console/", wait_until="commit")
                await page.locator("[data-row]").nth(11).wait_for()
                await page.get_by_role("button", name="admin").click()
                interactive.append(await page.evaluate("performance.now()"))
                await page.locator("figure svg").first.wait_for()
                complete.append(await page.evaluate("performance.now()"))
    return statistics.median(interactive), statistics.median(complete)


async def under_events() -> tuple[float, float, int]:
    """Return the longest task and the longest gap between two frames in ms, and how many events were published."""
    with tempfile.TemporaryDirectory() as name, nats_server(folder := Path(name)) as (url, _):
        client = await nats.connect(url)
        await streams.ensure_streams(client.jetstream(), timedelta(days=1))
        log = EventLog(client, "bench", timedelta(days=1))
        jobs = [make_job(f"job {number:03}") for number in range(JOBS)]
        for job in jobs:
            await log.publish(created(job))
        async with api(folder, url) as port, browser_page(port) as page:
            await page.locator(".live", has_text="live").wait_for()
            await page.evaluate(WATCH)
            published = await _publish(log, [event for job in jobs for event in a_run(job, uuid4(), datetime.now(UTC))])
            longest = max(await page.evaluate("window.tasks"), default=0.0)
            gap = max(await page.evaluate("window.frames_.slice(2)"))
        await client.close()
    return longest, gap, published


async def _publish(log: EventLog, events: list[Event]) -> int:
    began = time.perf_counter()
    for number in range(SECONDS * EVENTS_PER_SECOND):
        await log.publish(events[number % len(events)])
        await asyncio.sleep(max(0.0, began + number / EVENTS_PER_SECOND - time.perf_counter()))
    return SECONDS * EVENTS_PER_SECOND


async def main() -> int:
    interactive, complete = await first_page()
    print(
        f"first page  interactive after {interactive:.0f} ms (at most {INTERACTIVE_BUDGET_MS:.0f}), complete after {complete:.0f} ms"
    )
    longest, gap, published = await under_events()
    print(
        f"events      {published} at {EVENTS_PER_SECOND}/s: longest task {longest:.0f} ms (at most {TASK_BUDGET_MS:.0f}; 0: none of"
        f" 50 ms), longest gap between two frames {gap:.0f} ms"
    )
    return int(interactive > INTERACTIVE_BUDGET_MS or longest > TASK_BUDGET_MS)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
