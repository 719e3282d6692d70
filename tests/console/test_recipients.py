"""Who gets what of a job, as the console says it."""

from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import expect

from console.conftest import NewVisit
from console.test_versions import change
from console.visit import settled
from e2e.conftest import Nightmail

NewJob = Callable[..., str]


def test_the_people_of_a_result_are_those_of_its_slices_or_its_copies(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    slices = {"north": ["ann@example.com", "bob@example.com"], "south": ["bob@example.com"]}
    name = job("return data", split_by="region", recipients_by=slices, consumer_emails=["owner@example.com"])
    run_id = system.run(name)
    system.run_when(run_id, "delivered")
    ann = visit()
    page = settled(ann.go(f"jobs/{quote(name)}#recipients"))
    expect(page.locator(".sentence")).to_contain_text("to 2 people.")
    expect(page.get_by_role("tab", name="Recipients")).to_have_text("Recipients 3")
    expect(page.get_by_role("tabpanel").locator("li")).to_have_text(
        [
            "ann@example.com region: north",
            "bob@example.com region: north, region: south",
            "owner@example.com failures only",
        ]
    )
    # As many mails of one run as slices are one word of its history.
    expect(settled(ann.go(f"runs/{run_id}")).locator(".timeline li", has_text="accepted")).to_contain_text(
        "2 × accepted"
    )

    mails = system.call("GET", "/mails", params={"job_name": name}).json()["items"]
    [of_south] = [one["message_id"] for one in mails if one["split_value"] == "south"]
    page = settled(ann.go(f"mail/explain/{quote(of_south.strip('<>'))}"))
    expect(page.locator(".explanation")).to_contain_text("This mail has the rows whose region is “south”.")

    change(system, name, recipients_by="customer", failure_emails=["ops@example.com"])
    page = settled(ann.go(f"jobs/{quote(name)}#recipients"))
    expect(page.get_by_role("tabpanel")).to_contain_text("the addresses that the column customer has")
    expect(page.get_by_role("tabpanel").locator("li")).to_have_text(["ops@example.com failures only"])
    expect(settled(ann.go("jobs")).locator("tr", has_text=name)).to_contain_text("by row")

    change(system, name, split_by=None, recipients_by=None, cc=["cc@example.com"], bcc=["bcc@example.com"])
    page = settled(ann.go(f"jobs/{quote(name)}#recipients"))
    expect(page.get_by_role("tabpanel").locator("li")).to_have_text(
        [
            "owner@example.com",
            "cc@example.com copy (cc)",
            "bcc@example.com hidden copy (bcc)",
            "ops@example.com failures only",
        ]
    )
    changed = settled(ann.go(f"jobs/{quote(name)}#versions")).locator(".list > li", has_text="v3")
    expect(changed).to_contain_text("cc: none → becomes cc@example.com")
