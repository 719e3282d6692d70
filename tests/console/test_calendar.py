"""The calendar: a year of runs, and a day with every due time and what became of it."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Route, expect

from console.conftest import NewVisit
from e2e.conftest import Nightmail

NewJob = Callable[..., str]

SLOT: dict[str, Any] = {
    "job_name": "sales",
    "due": "2026-03-29T07:00:00Z",
    "fate": "missed",
    "run_id": None,
    "late_seconds": None,
    "empty": False,
}


def test_a_year_says_what_failed_and_its_days_are_reached_by_arrows(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    good = job()
    failing = job("return data.nothing")
    worked = datetime.fromisoformat(system.run_when(system.run(good), "delivered")["scheduled_at"])
    today = datetime.fromisoformat(system.run_when(system.run(failing), "failed")["scheduled_at"]).date()
    ann = visit("", timezone="UTC")
    page = ann.page
    page.get_by_role("link", name="Calendar").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(f"^({today.year}|{datetime.now(UTC).year})$"))
    ann.go(f"calendar/{today.year}?job={quote(failing)}")
    expect(page.locator(".sentence")).to_have_text("1 failed, on 1 day. 1 run on 1 day.")
    cell = page.locator(f'[data-day="{today}"]')
    expect(cell).to_have_accessible_name(f"{today:%A} {today.day} {today:%B %Y}: 1 run, 1 failed")
    assert page.locator('.year a[tabindex="0"]').count() == 1
    cell.focus()
    # A day and a week within the year, and back.
    for key in ("Right", "Down", "Left", "Up") if today.month == 1 else ("Left", "Up", "Right", "Down"):
        page.keyboard.press(f"Arrow{key}")
    expect(cell).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{system.url}/console/calendar/{today.year}/{today:%m-%d}?job={quote(failing)}")
    ann.go(f"calendar/{worked.year}?job={quote(good)}")
    expect(page.locator(".sentence")).to_have_text("None failed. 1 run on 1 day.")
    page.get_by_text("As a table, by month").click()
    expect(page.get_by_role("row", name=re.compile(f"^{worked:%B} 1 1 0 0 "))).to_be_visible()


def test_a_day_is_that_of_the_jobs_zone_and_lists_its_due_times(visit: NewVisit, job: NewJob) -> None:
    name = job(timezone="Asia/Kathmandu", schedule_time="30 1,9 1 1 *")
    year = (datetime.now(UTC) + timedelta(days=2)).year + 1
    ann = visit(f"calendar/{year}/01-01?job={quote(name)}", timezone="Europe/Paris")
    expect(ann.page.locator(".sentence")).to_have_text("2 due times: 2 due.")
    expect(ann.page.get_by_role("rowheader")).to_have_text(["01:30 (20:45 yours)", "09:30 (04:45 yours)"])
    ann.page.get_by_role("link", name="Day after").click()
    expect(ann.page.locator(".empty")).to_contain_text("Nothing matches.")


def test_a_day_on_which_the_clocks_change_says_so_and_links_lead_to_runs(visit: NewVisit) -> None:
    ann = visit("calendar/2026", timezone="Europe/Paris")
    marked = ann.page.locator(".year .changes")
    expect(marked).to_have_count(2)
    run_id = "01a217fe-ca60-7139-a014-6a61419730fe"
    slots = [SLOT, SLOT | {"due": "2026-03-29T08:00:00Z", "fate": "delivered", "run_id": run_id, "late_seconds": 90.0}]
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(content_type="application/json", body=json.dumps({"items": slots}))

    ann.page.route("**/slots?*", answer)
    marked.first.click()
    expect(ann.page.locator(".sentence")).to_have_text(
        "2 due times: 1 missed, 1 delivered. The clocks change in Paris: this day has 23 hours."
    )
    assert "from=2026-03-28T23%3A00%3A00.000Z&until=2026-03-29T22%3A00%3A00.000Z" in asked[0]
    expect(ann.page.locator("tbody tr")).to_have_text(
        ["09:00salesmissednone", "10:00salesdelivered 1 min 30 s lateOpen"]
    )
    expect(ann.page.get_by_role("link", name="Open the run of sales at 10:00")).to_have_attribute(
        "href", f"/console/runs/{run_id}"
    )
    ann.page.get_by_label("What became of it").select_option("missed")
    expect(ann.page.locator("tbody tr")).to_have_count(1)
    ann.page.reload()
    expect(ann.page.locator("tbody tr")).to_have_count(1)


def test_a_day_with_thousands_of_due_times_has_at_most_300_rows(visit: NewVisit) -> None:
    slots = [SLOT | {"job_name": f"job {number}"} for number in range(650)]
    ann = visit("jobs")
    ann.page.route(
        "**/slots?*",
        lambda route: route.fulfill(content_type="application/json", body=json.dumps({"items": slots})),
    )
    ann.go("calendar/2026/03-29")
    expect(ann.page.locator("tbody tr")).to_have_count(300)
    ann.page.get_by_role("button", name="Later").click()
    ann.page.get_by_role("button", name="Later").click()
    expect(ann.page.get_by_role("status").filter(has_text="of 650")).to_have_text("601 to 650 of 650")
    expect(ann.page.locator("tbody tr")).to_have_count(50)


def test_a_due_time_whose_result_had_no_row_and_no_mail_is_empty_in_the_day_and_the_month(
    visit: NewVisit, job: NewJob
) -> None:
    name = job(timezone="UTC")
    slot = SLOT | {"job_name": name, "due": "2026-11-25T00:00:00Z", "fate": "delivered", "empty": True}
    ann = visit("jobs", timezone="UTC")
    ann.page.clock.set_fixed_time("2026-11-25T12:00:00Z")
    ann.page.route(
        "**/slots?*",
        lambda route: route.fulfill(content_type="application/json", body=json.dumps({"items": [slot]})),
    )
    ann.go("calendar/2026/11-25")
    expect(ann.page.locator(".sentence")).to_contain_text("1 due time: 1 empty.")
    ann.page.get_by_label("What became of it").select_option("empty")
    expect(ann.page.locator("tbody tr .status")).to_have_text(["empty"])
    ann.go(f"jobs/{quote(name)}")
    expect(ann.page.locator(".calendar .soft")).to_contain_text("1 empty")
    expect(ann.page.locator(".legend")).to_have_text("empty")


def test_a_day_that_does_not_exist_leads_back(visit: NewVisit) -> None:
    ann = visit("calendar/2026/02-30")
    expect(ann.page.locator(".empty")).to_contain_text("There is no such day.")


def test_the_ledger_of_a_job_has_the_fate_of_every_due_time_of_a_month(visit: NewVisit, job: NewJob) -> None:
    name = job(timezone="Asia/Kathmandu")
    fates = ["failed", "undelivered", "missed", "skipped", "cancelled", "running", "requested", "delivered", "due"]
    run_id = "01a217fe-ca60-7139-a014-6a61419730fe"
    slots = [
        SLOT | {"job_name": name, "due": f"2026-11-{day:02}T03:15:00Z", "fate": fate, "run_id": run_id}
        for day, fate in enumerate(fates, start=1)
    ]
    # Three of one day: the worst of them is what the day shows.
    slots += [
        SLOT | {"job_name": name, "due": f"2026-11-20T0{hour}:15:00Z", "fate": fate, "run_id": None}
        for hour, fate in enumerate(("delivered", "missed", "delivered"))
    ]
    ann = visit("jobs")
    ann.page.clock.set_fixed_time("2026-11-25T12:00:00Z")
    ann.page.route(
        "**/slots?*", lambda route: route.fulfill(content_type="application/json", body=json.dumps({"items": slots}))
    )
    page = ann.go(f"jobs/{quote(name)}")
    cells = page.locator(".calendar td").filter(has=page.locator(".date"))
    for day, fate in enumerate(fates, start=1):
        expect(cells.nth(day - 1)).to_have_text(re.compile(rf"^{day}09:00 Kathmandu 1 {fate}$"))
        expect(cells.nth(day - 1).get_by_role("link")).to_have_attribute("href", f"/console/runs/{run_id}")
    expect(cells.nth(19)).to_have_text("202 delivered, 1 missed3")
    expect(cells.nth(19).locator(".wait")).to_have_count(1)
    expect(cells.nth(20)).to_have_text("21")
    expect(page.locator(".legend span")).to_have_text(fates)
