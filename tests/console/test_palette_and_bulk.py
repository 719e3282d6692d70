"""The palette, the actions of a row, several rows at once, and sending a result again to some."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from console.accessibility import violations
from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail
from support.deadlines import wait_until

NewJob = Callable[..., str]


def test_the_palette_finds_pages_jobs_and_runs_and_runs_a_job(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(job_name="palette of sales")
    first = system.run(name)
    system.run_when(first, "delivered")
    ann = visit()
    page = settled(ann.page)
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="A page, a job")
    expect(field).to_be_focused()
    field.fill("calen")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Runs by day")).to_be_visible()
    page.keyboard.press("/")  # the search of the page comes first
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Control+k")
    field.fill("palette of")
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_have_text("palette of salesopen the job")
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    expect(chosen).to_have_text("Run palette of salesnow")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Delivered, 2 rows.")
    page.get_by_role("button", name="Search or run").click()
    field.fill(first[:13].upper())
    option = page.get_by_role("option", name=re.compile(f"run {first[:8]}"))
    option.first.click()
    expect(page).to_have_url(re.compile("/console/runs/01"))


def test_a_dot_lists_the_actions_of_the_row_and_a_viewer_sees_why_not(visit: NewVisit, job: NewJob) -> None:
    name = job(job_name="dotted")
    ann = visit("jobs?q=dotted", role="viewer")
    page = ann.page
    page.get_by_role("link", name=name).wait_for()
    page.keyboard.press("j")
    page.keyboard.press(".")
    expect(page.get_by_role("heading", name="Actions of dotted")).to_be_visible()
    pause = page.get_by_role("option", name="Pause dotted")
    expect(pause).to_have_attribute("aria-disabled", "true")
    expect(pause).to_contain_text("This needs the role editor")
    page.get_by_role("option", name="Open dotted").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("dotted")


def test_chosen_jobs_are_paused_and_run_and_a_refusal_names_its_job(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    names = [job(job_name=f"bulk {number}") for number in range(3)]
    ann = visit("jobs?q=bulk")
    page = ann.page
    page.get_by_label("Choose bulk 0").check()
    page.get_by_label("Choose bulk 2").check()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".toast")).to_contain_text("Paused 2 jobs.")
    states = [system.call("GET", f"/jobs/{name}").json()["status"] for name in names]
    assert states == ["paused", "active", "paused"]
    page.get_by_label("Choose all 3").check()
    ann.expect_complaints("500")
    problem = '{"detail": "the runner is on holiday", "errors": []}'
    page.route("**/jobs/bulk%201/run", lambda route: route.fulfill(status=500, body=problem))
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("bulk 1: the runner is on holiday")
    expect(page.locator(".toast")).to_contain_text("Asked for a run of 2 jobs.")
    ran = [len(system.call("GET", f"/jobs/{name}/runs").json()["items"]) for name in names]
    assert ran == [1, 0, 1]
    viewer = visit("jobs?q=bulk", role="viewer", width=360, theme="dark")
    viewer.page.get_by_label("Choose bulk 1").check()
    expect(viewer.page.get_by_role("button", name="Resume")).to_have_attribute("aria-disabled", "true")
    assert violations(viewer.page) == []


def test_runs_are_asked_for_again_once_a_job(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(job_name="again")
    for _ in range(2):
        system.run_when(system.run(name), "delivered")
    ann = visit("runs?job=again")
    ann.page.get_by_label("Choose all 2").check()
    ann.page.get_by_role("button", name="Run their jobs again").click()
    expect(ann.page.locator(".toast")).to_contain_text("Asked for a run of 1 job.")
    assert len(system.call("GET", f"/jobs/{name}/runs").json()["items"]) == 3


def test_a_result_is_sent_again_to_those_who_are_chosen(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(consumer_emails=["ann@example.com", "bo@example.com"])
    run_id = system.run(name)
    system.run_when(run_id, "delivered")
    ann = visit(f"runs/{run_id}")
    ann.page.get_by_role("button", name="Send again…").click()
    dialog = ann.page.get_by_role("dialog")
    send = dialog.get_by_role("button", name="Send", exact=True)
    expect(send).to_have_attribute("aria-disabled", "true")
    expect(send).to_have_accessible_description("Nobody is chosen.")
    dialog.get_by_label("bo@example.com").check()
    assert violations(ann.page) == []
    dialog.get_by_role("button", name="Send to 1 person").click()
    expect(ann.page.locator(".toast")).to_contain_text("Sending it to bo@example.com again.")
    mails = wait_until(lambda: len(found) == 3 and found if (found := system.mails(run_id)) else None, "bo gets it")
    assert sorted(str(mail["To"]) for mail in mails).count("bo@example.com") == 2
