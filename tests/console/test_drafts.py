"""Drafts in two tabs, and drafts that are dropped: what a person typed and did not save is never lost."""

from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import Page, expect

from console.conftest import NewVisit
from console.visit import Visit
from e2e.conftest import Nightmail

NewJob = Callable[..., str]


def second_tab(visit: Visit) -> Page:
    """Open the page of a visit in another tab of the same browser."""
    page = visit.context.new_page()
    visit.listen(page)
    page.goto(visit.page.url)
    page.locator(".code .cm-content").wait_for()
    return page


def test_a_save_in_one_tab_keeps_the_draft_of_another(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job()
    ann = visit(f"jobs/{quote(name)}/edit")
    ann.expect_complaints("412")
    other = second_tab(ann)
    # The other tab types first: the browser keeps the draft that was changed last, and the save removes that one.
    other.get_by_label("Subject").fill("of the other tab")
    ann.page.get_by_label("Recipients").fill("first@example.com")
    expect(other.get_by_role("alert")).to_contain_text("Another tab changes this draft, too.")
    ann.page.get_by_role("button", name="Save").click()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text(name)
    expect(other.get_by_role("alert")).to_contain_text(f"{ann.name} saved version 2 in the meantime.")
    other.reload()
    expect(other.get_by_label("Subject")).to_have_value("of the other tab")
    other.get_by_role("button", name="Save").click()
    other.get_by_role("button", name="Save the merged job").click()
    expect(other.get_by_role("heading", level=1)).to_have_text(name)
    saved = system.call("GET", f"/jobs/{name}").json()
    assert (saved["subject"], saved["consumer_emails"]) == ("of the other tab", ["first@example.com"])


def test_a_save_leaves_the_draft_that_another_tab_changed_last(visit: NewVisit, job: NewJob) -> None:
    name = job()
    ann = visit(f"jobs/{quote(name)}/edit")
    other = second_tab(ann)
    ann.page.get_by_label("Recipients").fill("first@example.com")
    other.get_by_label("Subject").fill("of the other tab")
    expect(ann.page.get_by_role("alert")).to_contain_text("Another tab changes this draft, too.")
    # A closed tab cannot keep its draft again.
    address = other.url
    other.close()
    ann.page.get_by_role("button", name="Save").click()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text(name)
    ann.page.goto(address)
    expect(ann.page.get_by_label("Subject")).to_have_value("of the other tab")


def test_the_draft_of_a_new_report_survives_a_save_in_another_tab(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    system.call("PUT", "/files/tabs.csv", content=b"region,amount\nnorth,1200\n")
    ann = visit("jobs/new?from=nothing")
    other = second_tab(ann)
    name = f"of two tabs {ann.name}"
    other.get_by_label("Name").fill("of the other tab")
    for label, text in (("Name", name), ("File", "tabs.csv"), ("Recipients", "first@example.com")):
        ann.page.get_by_label(label, exact=True).fill(text)
    ann.page.get_by_role("button", name="Save").click()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text(name)
    expect(other.get_by_role("alert")).to_contain_text("Another tab saved or dropped its draft.")
    other.reload()
    expect(other.get_by_label("Name")).to_have_value("of the other tab")
    system.call("DELETE", f"/jobs/{name}", params={"erase": "true"})


def test_dropped_changes_return_on_undo_also_from_another_page(visit: NewVisit, job: NewJob) -> None:
    page = visit(f"jobs/{quote(job())}/edit").page
    subject = page.get_by_label("Subject")
    drop = page.get_by_role("button", name="Drop changes")
    undo = page.get_by_role("button", name="Undo")
    subject.fill("typed for an hour")
    drop.click()
    expect(subject).to_have_value("")
    # What is typed before the undo changes places with what was dropped.
    subject.fill("typed since")
    undo.click()
    expect(subject).to_have_value("typed for an hour")
    undo.click()
    expect(subject).to_have_value("typed since")
    drop.click()
    expect(subject).to_have_value("")
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    undo.click()
    expect(subject).to_have_value("typed since")
    expect(page.locator(".sentence")).to_contain_text("Not saved.")
    page.reload()
    expect(subject).to_have_value("typed since")


def test_changes_that_are_dropped_in_a_conflict_return_on_undo(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job()
    ann = visit(f"jobs/{quote(name)}/edit")
    ann.expect_complaints("412")
    page = ann.page
    page.get_by_label("Subject").fill("mine")
    theirs = system.call("GET", f"/jobs/{name}").json()
    kept = ("job_name", "schedule_time", "timezone", "data_source", "processing_script", "consumer_emails")
    changed = {field: theirs[field] for field in kept}
    assert system.call("PUT", f"/jobs/{name}", json=changed | {"subject": "theirs"}).status_code == 200
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Drop my changes").click()
    expect(page.get_by_label("Subject")).to_have_value("theirs")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Subject")).to_have_value("mine")
