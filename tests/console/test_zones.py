"""A reader in another zone than the jobs: each time on a page names its zone."""

import re
from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import expect

from console.conftest import NewVisit
from e2e.conftest import Nightmail

NewJob = Callable[..., str]


def test_times_in_the_readers_zone_name_it(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    good, bad = job(), job("return data.nothing")
    run_id = system.run(good)
    system.run_when(run_id, "delivered")
    system.run_when(system.run(bad), "failed")
    ann = visit(timezone="America/New_York")
    page = ann.page
    needs_you = page.get_by_role("listitem").filter(has=page.get_by_role("link", name=bad))
    expect(needs_you).to_contain_text("New York")
    ann.go(f"mail?job={quote(good)}")
    expect(page.get_by_role("columnheader", name="When (New York)")).to_be_visible()
    ann.go(f"log?job={quote(good)}")
    expect(page.locator(".sentence")).to_contain_text("Times are in New York.")
    ann.go(f"mail/explain/{run_id}.result@localhost")
    expect(page.locator(".explanation")).to_contain_text("which ran, ")
    for sentence in ("wrote version 1, which ran, ", "took the copy for"):
        expect(page.locator("p", has_text=sentence).first).to_contain_text("New York")


def test_earlier_runs_to_compare_with_differ_by_their_seconds(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job()
    runs = [system.run(name) for _ in range(3)]
    for run_id in runs:
        system.run_when(run_id, "delivered")
    last = system.call("GET", f"/jobs/{name}/runs").json()["items"][0]["run_id"]
    page = visit().go(f"runs/{last}#compare")
    links = page.get_by_role("link", name="Show what differs")
    expect(links).to_have_count(2)
    expect(links.first).to_have_accessible_name(re.compile(r" \d\d:\d\d:\d\d$"))


def test_an_address_that_cannot_be_decoded_is_no_page(visit: NewVisit) -> None:
    ann = visit()
    for path in ("jobs/%ZZ", "%E0%A4%A"):
        ann.go(path)
        expect(ann.page.get_by_role("heading", level=1)).to_have_text("There is no such page")
