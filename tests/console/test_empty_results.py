"""A result without a row is shown as empty where nobody got a mail of it, not as delivered."""

from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import expect

from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail

NewJob = Callable[..., str]


def test_an_empty_result_that_was_not_mailed_is_empty_on_every_page(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job("return data.head(0)", job_name="no rows today", when_empty="skip")
    ann = visit(f"jobs/{quote(name)}")
    page = ann.page
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".toast")).to_contain_text("0 rows, so nobody got a mail.")
    run = system.call("GET", f"/jobs/{name}/runs").json()["items"][0]["run_id"]
    sentence = page.locator(".sentence")
    expect(sentence).to_contain_text("empty 0 rows today ")
    expect(sentence).to_contain_text(", so nobody got a mail.")
    expect(page.get_by_role("row").filter(has=page.locator(f"[data-run='{run}']"))).to_contain_text("empty")
    expect(settled(ann.go(f"runs/{run}")).locator(".sentence")).to_contain_text("empty 0 rows, so nobody got a mail.")
    for path in ("", "jobs?q=no+rows", f"runs?job={quote(name)}"):
        row = settled(ann.go(path)).get_by_role("row").filter(has_text=name)
        expect(row.locator(".status.soft")).to_contain_text("empty")
        expect(row.locator(".status.ok")).to_have_count(0)
    expect(settled(ann.go("jobs?q=no+rows")).locator(".strip")).to_have_accessible_name(
        "last runs, oldest first: empty"
    )


def test_an_empty_result_that_was_mailed_is_delivered_to_those_whose_server_accepted_it(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job("return data.head(0)", consumer_emails=["ann@example.com", "bo@example.com"])
    system.run_when(system.run(name), "delivered")
    sentence = settled(visit(f"jobs/{quote(name)}").page).locator(".sentence")
    expect(sentence).to_contain_text("delivered 0 rows today ")
    expect(sentence).to_contain_text(", to 2 people.")
