"""What a page shows besides its rows: failures, how to begin, times, and words that are not cut."""

import json
import re
from collections.abc import Callable
from itertools import pairwise, product
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Route, expect

from console.accessibility import violations
from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail
from support.job_requests import due_in_half_a_year

NewJob = Callable[..., str]


@pytest.mark.parametrize(
    ("status", "detail", "words"),
    [
        (503, "catching up: 41200 of 100000 events are applied", "This list is behind. The read model is catching up"),
        (503, "the log does not answer", "The log does not answer. Nothing is lost"),
        (500, "an internal error", "This did not work. an internal error."),
        (403, "this needs the role editor", "You may not see this."),
        (None, "", "Nightmail does not answer. Trying again."),
    ],
)
def test_each_kind_of_failure_has_its_words_and_the_page_recovers(
    visit: NewVisit, job: NewJob, status: int | None, detail: str, words: str
) -> None:
    name = job()
    ann = visit("runs")
    ann.expect_complaints("Failed to load resource")

    def refuse(route: Route) -> None:
        if status is None:
            route.abort("connectionrefused")
        else:
            problem = {"type": "about:blank", "title": "", "status": status, "detail": detail, "errors": []}
            route.fulfill(status=status, content_type="application/problem+json", body=json.dumps(problem))

    ann.page.route("**/jobs?*", refuse)
    ann.page.get_by_role("link", name="Jobs").click()
    expect(ann.page.get_by_role("alert")).to_contain_text(words)
    ann.page.unroute("**/jobs?*")
    if status in {500, None}:
        ann.page.get_by_role("button", name="Try again").click()
    if status != 403:
        expect(ann.page.get_by_role("link", name=name)).to_be_visible()
        expect(ann.page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (502, "Nightmail does not answer. Trying again."),
        (418, "This did not work. The answer had the status 418 and no reason."),
    ],
)
def test_an_answer_of_a_proxy_has_words(visit: NewVisit, job: NewJob, status: int, words: str) -> None:
    name = job()
    ann = visit("runs")
    ann.expect_complaints("Failed to load resource")
    page = "<html><h1>Something in between</h1></html>"
    ann.page.route("**/jobs?*", lambda route: route.fulfill(status=status, content_type="text/html", body=page))
    ann.page.get_by_role("link", name="Jobs").click()
    expect(ann.page.get_by_role("alert")).to_contain_text(words)
    ann.page.unroute("**/jobs?*")
    if status == 418:
        ann.page.get_by_role("button", name="Try again").click()
    expect(ann.page.get_by_role("link", name=name)).to_be_visible()


def test_a_page_that_asks_once_does_not_say_that_it_tries_again(visit: NewVisit, job: NewJob) -> None:
    name = job()
    ann = visit("runs")
    ann.expect_complaints("Failed to load resource")
    ann.page.route(f"**/jobs/{quote(name)}", lambda route: route.abort("connectionrefused"))
    ann.go(f"jobs/{quote(name)}/edit")
    expect(ann.page.get_by_role("alert")).to_have_text(re.compile(r"^Nightmail does not answer\.\s*Try again$"))
    ann.page.unroute(f"**/jobs/{quote(name)}")
    ann.page.get_by_role("button", name="Try again").click()
    expect(ann.page.get_by_text("Version 1, unchanged.")).to_be_visible()


def test_a_system_without_jobs_says_how_to_begin(visit: NewVisit) -> None:
    ann = visit("runs")
    empty = json.dumps({"items": [], "next_cursor": None})
    setup = {"report": False, "mail_server": False, "tested": False, "invited": True}
    overview = json.dumps({"jobs": 0, "failing": [], "next": [], "refused": [], "setup": setup})
    ann.page.route("**/jobs?*", lambda route: route.fulfill(content_type="application/json", body=empty))
    ann.page.route("**/overview", lambda route: route.fulfill(content_type="application/json", body=overview))
    for word, begin in (("Overview", "No reports yet."), ("Jobs", "No reports yet.")):
        ann.page.get_by_role("link", name=word).first.click()
        expect(ann.page.get_by_text(begin)).to_be_visible()


def test_the_first_steps_lead_to_their_pages_until_they_are_hidden(visit: NewVisit, job: NewJob) -> None:
    job()
    ann = visit()
    page = ann.page
    steps = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Connect a mail server"))
    expect(page.get_by_text("2 of 4 done")).to_be_visible()
    expect(page.locator(".sentence")).to_contain_text("Mail is kept here and reaches nobody")
    steps.get_by_role("link").click()
    expect(page.get_by_text("keeps every mail on this machine, and delivers none")).to_be_visible()
    expect(page.get_by_text("NIGHTMAIL_SMTP_HOST")).to_be_visible()
    ann.go("mail").get_by_role("link", name="connect a mail server").click()
    expect(page.get_by_role("heading", name="Mail server")).to_be_visible()
    ann.go("")
    page.get_by_role("button", name="Hide").click()
    expect(steps).to_have_count(0)
    settled(ann.go(""))
    expect(steps).to_have_count(0)


def test_times_are_in_the_jobs_zone_and_in_the_readers_where_they_differ(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    month = due_in_half_a_year().month
    name = job(timezone="Asia/Kathmandu", schedule_time=f"30 9 1 {month} *")
    due = due_in_half_a_year().replace(minute=30, tzinfo=ZoneInfo("Asia/Kathmandu"))
    elsewhere = due.astimezone(ZoneInfo("America/Los_Angeles"))
    theirs = f"{due:%a} 1 {due:%b}( {due.year})? 09:30 Kathmandu"  # with the year unless it is this one
    yours = f"{elsewhere:%a} {elsewhere.day} {elsewhere:%b}( {elsewhere.year})? {elsewhere:%H:%M} yours"
    for zone, words in (
        ("Asia/Kathmandu", rf"{theirs}\."),
        ("America/Los_Angeles", rf"{theirs} \({yours}\)\."),
    ):
        ann = visit(f"jobs/{quote(name)}", timezone=zone)
        expect(ann.page.locator(".sentence")).to_have_text(re.compile(f"^Has not run yet. Due first: {words}$"))
    ann.page.get_by_role("tab", name="Definition").click()
    expect(ann.page.get_by_role("tabpanel")).to_contain_text(f"30 9 1 {month} *Time zoneKathmandu (Asia/Kathmandu)")


def test_beside_a_long_name_no_word_of_a_list_is_cut(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(job_name="monthly margin by customer and region, with the corrections of the accounting department")
    system.run_when(system.run(name), "delivered")
    ann = visit()
    cells = {
        "runs": "th[scope=row] a, td[data-label=Mail]",
        "mail": "th[scope=row] a, td[data-label^=When]",
        "jobs": "td[data-label='Last run'] a, td[data-label=Next]",
    }
    for path, selector in cells.items():
        found = settled(ann.go(path)).locator("tr", has_text=name).first.locator(selector)
        expect(found).to_have_count(2)
        lines = found.evaluate_all(
            """(cells) => cells.map((cell) => {
                const text = document.createRange()
                text.selectNodeContents(cell)
                const bottoms = [...text.getClientRects()].map(({bottom}) => bottom).sort((one, other) => one - other)
                return bottoms.filter((bottom, at) => at === 0 || bottom - bottoms[at - 1] > 10).length
            })"""
        )
        assert lines == [1, 1], path


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_a_name_without_spaces_breaks_and_no_word_of_the_bar_does(
    system: Nightmail, visit: NewVisit, job: NewJob, width: int
) -> None:
    name = job(job_name="monthly_margin_" * 8 + "by_1234")
    run = system.run(name)
    system.run_when(run, "delivered")
    ann = visit(width=width)
    for path in ("", "jobs", f"jobs/{name}", f"jobs/{name}/edit", "runs", f"runs/{run}", "mail", "log"):
        page = settled(ann.go(path))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    words = page.get_by_role("navigation", name="Pages").get_by_role("link")
    lines = words.evaluate_all(
        """(links) => links.map((link) => {
            const text = document.createRange()
            text.selectNodeContents(link)
            return [link.textContent, text.getClientRects().length]
        })"""
    )
    assert lines == [[word, 1] for word in ("Overview", "Jobs", "Runs", "Mail", "Log")]
    assert len({round(words.nth(number).bounding_box()["y"]) for number in range(5)}) == 1  # type: ignore[index]


def test_no_hour_of_the_axis_is_cut_off_or_covers_another(visit: NewVisit, job: NewJob) -> None:
    job()
    ann = visit("jobs")
    for width, hour in product((360, 1200), (0, 10, 20)):
        ann.page.set_viewport_size({"width": width, "height": 900})
        ann.page.clock.set_fixed_time(f"2026-11-26T{hour:02}:10:00Z")
        settled(ann.go("")).locator(".axis-now").wait_for()
        (start, end, _), *words = ann.page.locator(".axis-hours").evaluate(
            """(row) => [row, ...row.children].filter((one) => one.offsetParent)
                .map((one) => one.getBoundingClientRect()).map(({left, right, height}) => [left, right, height])"""
        )
        words.sort()
        assert len(words) >= 3
        assert all(left >= start and right <= end for left, right, _ in words), (width, hour)
        assert all(one[1] <= other[0] for one, other in pairwise(words)), (width, hour)
        assert len({height for _, _, height in words}) == 1, (width, hour)


def test_a_page_that_loads_says_so_where_its_rows_will_be(visit: NewVisit) -> None:
    ann = visit("runs")
    held: list[Route] = []
    ann.page.route("**/jobs?*", lambda route: held.append(route))
    ann.page.get_by_role("link", name="Jobs").click()
    loading = ann.page.get_by_role("status").filter(has_text="Loading")
    expect(loading).to_have_count(1)
    expect(ann.page.get_by_role("heading", level=1)).to_have_text("Jobs")
    assert violations(ann.page) == []
    held[0].continue_()
    expect(loading).to_have_count(0)


def test_the_overview_says_what_keeps_the_system_from_working(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    job()
    overview = system.call("GET", "/overview").json() | {"problems": ["mail.example.com:587: connection refused"]}
    overview["mails_today"] |= {"accepted": 3, "refused": 1, "bounced": 1}
    ann = visit("jobs")
    body = json.dumps(overview | {"is_caught": False})
    ann.page.route("**/overview", lambda route: route.fulfill(content_type="application/json", body=body))
    ann.go("")
    card = ann.page.locator("section", has=ann.page.get_by_role("heading", name="The system needs an operator"))
    expect(card).to_contain_text("mail.example.com:587: connection refused")
    expect(card.get_by_role("link", name="System")).to_be_visible()
    expect(ann.page.get_by_text("3 mails went out today, 2 were refused or came back (UTC).")).to_be_visible()


def test_a_mail_that_is_to_come_is_not_one_that_was_not_sent(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    run_id = system.run(job())
    run = system.run_when(run_id, "delivered") | {"mails": []}
    report = system.call("GET", "/system").json()
    report["smtp"] |= {"reachable": False, "reason": "mail.example.com:587: connection refused"}
    ann = visit("jobs")

    def answer(path: str, body: object) -> None:
        text = json.dumps(body)
        ann.page.route(f"{system.url}{path}", lambda route: route.fulfill(content_type="application/json", body=text))

    answer("/system", report)
    answer(f"/runs/{run_id}", run | {"status": "processed"})
    page = ann.go(f"runs/{run_id}#mail")
    expect(page.get_by_text("The mail has not gone out yet.")).to_be_visible()
    expect(
        page.get_by_text("No mail goes out at the moment: mail.example.com:587: connection refused.")
    ).to_be_visible()
    expect(page.get_by_text("No mail was sent")).to_have_count(0)
    waits = {"kind": "result", "address": "a@example.com", "outcome": "waiting", "answer": "451 later"}
    waits |= {"message_id": "<1@example.com>", "since": run["requested_at"], "next_attempt": run["requested_at"]}
    answer(f"/runs/{run_id}", run | {"status": "processed", "mails": [waits]})
    page.reload()
    expect(page.get_by_text("the mail waits for the mail server.")).to_be_visible()
    answer(f"/runs/{run_id}", run | {"status": "running"})
    page.reload()
    expect(page.get_by_text("The mail goes out after the run.")).to_be_visible()


def test_an_attempt_that_has_passed_is_not_the_next_one(system: Nightmail, visit: NewVisit) -> None:
    mail: dict[str, str | None] = {
        "run_id": "01a220e9-4d29-73b1-bc97-e30708ede4d0",
        "message_id": "<1@example.com>",
        "job_name": "sales",
    }
    mail |= {"kind": "result", "split_value": None, "recipient": "a@example.com", "outcome": "waiting"}
    mail |= {"answer": "451 4.7.1 Greylisted", "time": "2026-11-23T09:00:00Z", "since": "2026-11-23T09:00:00Z"}
    times = ("2026-11-23T09:00:01Z", "2126-11-23T09:00:00Z")
    items = [mail | {"message_id": f"<{time}@example.com>", "next_attempt": time} for time in times]
    ann = visit("jobs")
    body = json.dumps({"items": items, "next_cursor": None})
    ann.page.route("**/mails?*", lambda route: route.fulfill(content_type="application/json", body=body))
    page = ann.go("mail?days=all")
    expect(page.get_by_text("tried again since")).to_have_count(1)
    expect(page.get_by_text("next attempt")).to_have_count(1)


def test_no_table_is_wider_than_its_card_and_the_sizes_are_those_of_the_design(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job(job_name="monthly margin " * 7 + "by region")
    failing = job("raise ValueError('a long reason, ' * 30)")
    run = system.run(name)
    system.run_when(run, "delivered")
    system.run_when(system.run(failing), "failed")
    page = visit().page
    for path in ("", "jobs", "runs", f"runs/{run}#mail"):
        page.goto(f"{system.url}/console/{path}")
        settled(page)
        for width in (320, 640, 737, 768, 897, 1024):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate(
                """() => [...document.querySelectorAll('.card > table')].filter((table) =>
                    table.getBoundingClientRect().right > table.parentElement.getBoundingClientRect().right
                ).length + Math.max(0, document.documentElement.scrollWidth - innerWidth)"""
            )
            assert wide == 0, (path, width)
    size = "(element) => getComputedStyle(element).fontSize"
    assert page.locator("body").evaluate(size) == "15px"
    assert page.locator("h1").evaluate(size) == "22px"
    assert page.locator("th[scope=col]").first.evaluate(size) == "13px"
