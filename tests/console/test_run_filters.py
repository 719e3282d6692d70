"""The Runs page shows each of its filters, also the times that an address has."""

import re
from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import expect

from console.accessibility import violations
from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail

NewJob = Callable[..., str]


def test_the_times_of_an_address_are_fields_that_are_changed_and_cleared(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job()
    system.run_when(system.run(name), "delivered")
    ann = visit(f"runs?job={quote(name)}&until=2026-01-15T08:30:00Z", timezone="Europe/Paris")
    page = settled(ann.page)
    since, until = page.get_by_label("From (Paris)"), page.get_by_label("Until (Paris)")
    expect(until).to_have_value("2026-01-15T09:30")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    assert violations(page) == []
    until.fill("")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "until" not in page.url
    # In summer, Paris is two hours before UTC.
    since.fill("2026-07-01T00:00")
    expect(page).to_have_url(re.compile(re.escape(quote("since=2026-06-30T22:00:00.000Z", safe="="))))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Clear filters").click()
    expect(since).to_have_value("")
