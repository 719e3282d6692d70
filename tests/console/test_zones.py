"""A reader in another zone than the jobs: each time on a page names its zone."""

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
