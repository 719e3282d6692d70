"""What happens while a request is on its way: an event, a key, another page. Nothing is lost, and nothing old is shown as new."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from playwright.sync_api import Page, Route, expect

from console.conftest import NewVisit
from e2e.conftest import Nightmail
from support.deadlines import wait_until

NewJob = Callable[..., str]

CSV = b"region,amount\nnorth,1200\nsouth,950\nnorth,80\n"
SUMS = "return data.groupby('region', as_index=False).amount.sum()"


class Held:
    """Requests of a page that wait until the test lets them go on."""

    def __init__(self, page: Page, url: str | re.Pattern[str], method: str = "GET") -> None:
        self._page = page
        self._url = url
        self._method = method
        self._held: list[Route] = []
        self._is_released = False
        page.route(url, self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.method == self._method and not self._is_released:
            self._held.append(route)
        else:
            route.continue_()

    def wait(self) -> None:
        """Return once a request is held."""
        wait_until(lambda: self._page.title() is not None and self._held, f"a request to {self._url}")

    def release(self) -> None:
        """Let what is held go on, and what comes later pass."""
        self.wait()
        self._is_released = True
        for route in self._held:
            route.continue_()


def runs_of(name: str) -> str:
    return f"runs?job={quote(name)}"


def stored(system: Nightmail, name: str) -> dict[str, str]:
    """Store a small file, and return the source of data that reads it."""
    system.call("PUT", f"/files/{name}", content=CSV)
    return {"source_type": "file", "location": name, "file_type": "csv"}


def test_what_is_typed_into_a_filter_stays_when_an_event_changes_the_page(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job()
    page = visit("runs").page
    field = page.get_by_role("searchbox")
    field.press_sequentially(name[:9])
    system.run(name)
    expect(page.get_by_role("button", name="1 new run")).to_be_visible()
    expect(field).to_have_value(name[:9])


def test_a_run_that_the_answer_shows_is_not_counted_as_new_nor_one_of_another_state(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job()
    ann = visit("jobs")
    page = ann.page
    held = Held(page, re.compile(r":\d+/runs\?"))
    ann.go(runs_of(name))
    held.wait()
    first = system.run(name)
    fresh = page.locator("button.fresh")
    expect(fresh).to_have_text("↑ 1 new run")
    held.release()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(fresh).to_have_count(0)
    system.run_when(first, "delivered")
    ann.go(f"{runs_of(name)}&status=failed")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    system.run_when(system.run(name), "delivered")
    ann.go(f"{runs_of(name)}&status=delivered")
    expect(page.locator("tbody tr")).to_have_count(2)
    system.run_when(system.run(name), "delivered")
    expect(fresh).to_have_text("↑ 1 new run")


def test_a_list_that_is_loaded_again_has_no_gap_between_its_pages(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job()
    system.run_when(system.run(name), "delivered")
    [run] = system.call("GET", f"/jobs/{name}/runs").json()["items"]
    numbers = list(range(120))

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        start = numbers.index(int(query["cursor"][0])) + 1 if "cursor" in query else 0
        end = start + int(query["limit"][0])
        items: list[dict[str, Any]] = [{**run, "run_id": f"run-{one}", "rows": one} for one in numbers[start:end]]
        cursor = str(numbers[end - 1]) if end < len(numbers) else None
        route.fulfill(content_type="application/json", body=json.dumps({"items": items, "next_cursor": cursor}))

    ann = visit("jobs")
    page = ann.page
    page.route(re.compile(r":\d+/runs\?"), answer)
    ann.go(runs_of(name))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="More").click()
    expect(rows).to_have_count(100)
    numbers[:0] = [-3, -2, -1]
    system.run(name)
    page.get_by_role("button", name="1 new run").click()
    expect(page.locator("td[data-label=Rows]").first).to_have_text("-3")
    page.get_by_role("button", name="More").click()
    expect(rows).to_have_count(123)
    shown = page.locator("td[data-label=Rows]").all_inner_texts()
    assert [int(text.replace("−", "-")) for text in shown] == numbers


def test_events_that_come_faster_than_answers_do_not_keep_a_page_from_loading(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job()
    ann = visit("runs")
    page = ann.page
    given_up: list[str] = []
    page.on("requestfailed", lambda request: given_up.append(request.url))
    held = Held(page, "**/jobs?*")
    page.get_by_role("link", name="Jobs").click()
    held.wait()
    for action in ("pause", "resume", "pause"):
        system.call("POST", f"/jobs/{name}/{action}")
        page.wait_for_timeout(400)  # longer than events are collected
    held.release()
    expect(page.locator("tr", has_text=name)).to_contain_text("paused")
    assert given_up == []


def test_who_leaves_a_page_is_not_called_back_by_what_it_asked_for(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job()
    run_id = system.run(name)
    system.run_when(run_id, "delivered")
    page = visit(f"runs/{run_id}").page
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_have_accessible_description("This run has ended.")
    held = Held(page, f"**/jobs/{quote(name)}/run", "POST")
    page.get_by_role("button", name="Run again").click()
    held.wait()
    page.get_by_role("link", name="Jobs").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    held.release()
    expect(page.locator(".toast")).to_contain_text("Delivered, 2 rows.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")


def test_a_script_that_cannot_be_read_at_the_moment_is_not_called_unknown_and_no_other_is_shown(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job()
    run_id = system.run(name)
    system.run_when(run_id, "delivered")
    ann = visit("jobs")
    ann.expect_complaints("503")
    page = ann.page
    problem = json.dumps({"detail": "the log does not answer", "errors": []})
    page.route("**/versions/*", lambda route: route.fulfill(status=503, content_type="application/json", body=problem))
    ann.go(f"runs/{run_id}#script")
    expect(page.get_by_role("alert")).to_contain_text("The log does not answer.")
    page.unroute("**/versions/*")
    expect(page.locator(".script code").first).to_contain_text("return data")
    expect(page.get_by_role("alert")).to_have_count(0)
    # Another job may get the name; its first version is not the one that ran.
    system.call("DELETE", f"/jobs/{name}")
    job("return data.tail(1)", job_name=name)
    page.reload()
    expect(page.get_by_text("The script of this version is not known any more.")).to_be_visible()
    expect(page.locator(".sentence")).to_contain_text("Paris")


def test_no_letter_that_is_typed_for_the_palette_is_lost_or_acts_on_something_else(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    one, other = job(job_name="r is for alpha"), job(job_name="omega of the palette")
    ann = visit()
    page = ann.page
    file = Held(page, "**/more.js*")
    ann.go(f"jobs/{quote(one)}")
    page.get_by_role("button", name="Run now").wait_for()
    page.keyboard.press("Control+k")
    file.wait()
    page.keyboard.type("r is for x")
    page.keyboard.press("Backspace")
    file.release()
    expect(page.get_by_role("combobox")).to_have_value("r is for ")
    assert system.call("GET", f"/jobs/{one}/runs").json()["items"] == []
    page.keyboard.type("alpha")
    expect(page.get_by_role("option", name=f"Run {one}")).to_be_visible()
    held = Held(page, "**/jobs?*")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(other)
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(0)
    page.keyboard.press("Enter")
    held.release()
    expect(page.get_by_role("heading", level=1)).to_have_text(other)


def test_what_is_typed_while_a_job_is_saved_or_tried_or_a_file_uploaded_stays(
    system: Nightmail, visit: NewVisit, job: NewJob, tmp_path: Path
) -> None:
    name = job(SUMS, data_source=stored(system, "typed.csv"))
    ann = visit(f"jobs/{quote(name)}/edit")
    page = ann.page
    recipients, subject = page.get_by_label("Recipients"), page.get_by_label("Subject")
    tried = Held(page, "**/jobs/preview", "POST")
    page.get_by_role("button", name="Try").click()
    tried.wait()
    recipients.fill("")
    recipients.press_sequentially("bo@example.com, cy@exam")
    tried.release()
    expect(page.get_by_role("cell", name="1280")).to_be_visible()
    expect(recipients).to_have_value("bo@example.com, cy@exam")
    recipients.press_sequentially("ple.com")
    data = tmp_path / "uploaded.csv"
    data.write_bytes(CSV)
    uploaded = Held(page, "**/files/uploaded.csv", "PUT")
    page.locator("input[type=file]").set_input_files(data)
    uploaded.wait()
    subject.fill("while it is uploaded")
    uploaded.release()
    expect(page.get_by_label("File", exact=True)).to_have_value("uploaded.csv")
    expect(subject).to_have_value("while it is uploaded")
    saved = Held(page, f"**/jobs/{quote(name)}", "PUT")
    page.get_by_role("button", name="Save").click()
    saved.wait()
    subject.fill("while it is saved")
    saved.release()
    expect(page.locator(".toast")).to_contain_text("Saved. What you changed since is not: it is a draft.")
    expect(page.locator(".sentence")).to_contain_text("Not saved.")
    second = system.call("GET", f"/jobs/{name}").json()
    assert (second["version"], second["subject"]) == (2, "while it is uploaded")
    assert second["consumer_emails"] == ["bo@example.com", "cy@example.com"]
    page.reload()
    expect(subject).to_have_value("while it is saved")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    third = system.call("GET", f"/jobs/{name}").json()
    assert (third["version"], third["subject"]) == (3, "while it is saved")


def test_a_new_report_that_is_changed_while_it_is_saved_goes_on_as_a_draft_of_its_job(
    system: Nightmail, visit: NewVisit, tmp_path: Path
) -> None:
    system.call("PUT", "/files/typed.csv", content=CSV)
    ann = visit("jobs/new?from=nothing")
    page = ann.page
    name = f"saved of {ann.name}"
    page.get_by_label("Name").fill(name)
    page.get_by_label("File", exact=True).fill("typed.csv")
    page.get_by_label("Recipients").fill("ann@example.com")
    saved = Held(page, re.compile(r":\d+/jobs$"), "POST")
    page.get_by_role("button", name="Save").click()
    saved.wait()
    page.get_by_label("Subject").fill("while it is saved")
    saved.release()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Edit {name}")
    expect(page.get_by_label("Subject")).to_have_value("while it is saved")
    assert system.call("GET", f"/jobs/{name}").json()["subject"] is None
    system.call("DELETE", f"/jobs/{name}", params={"erase": "true"})


def test_a_script_that_is_changed_while_the_data_is_fetched_is_tried_after_it(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    page = visit(f"jobs/{quote(job(SUMS, data_source=stored(system, 'fetched.csv')))}/edit").page
    page.locator(".code .cm-content").wait_for()
    tried = Held(page, "**/jobs/preview", "POST")
    page.get_by_role("button", name="Try").click()
    tried.wait()
    page.get_by_role("textbox", name="Script").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("return data.tail(1)")
    tried.release()
    expect(page.get_by_role("cell", name="80", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="1280")).to_have_count(0)


def test_a_version_that_comes_while_a_conflict_is_shown_is_not_overwritten(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job(SUMS)

    def change(**fields: str) -> None:
        theirs = system.call("GET", f"/jobs/{name}").json()
        kept = ("job_name", "schedule_time", "timezone", "data_source", "processing_script", "consumer_emails")
        assert system.call("PUT", f"/jobs/{name}", json={one: theirs[one] for one in kept} | fields).status_code == 200

    ann = visit(f"jobs/{quote(name)}/edit")
    ann.expect_complaints("412")
    page = ann.page
    page.get_by_label("Subject").fill("mine")
    change(description="second")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="admin saved version 2 while you were editing")).to_be_visible()
    change(description="third")
    page.get_by_role("button", name="Save the merged job").click()
    expect(page.get_by_role("heading", name="admin saved version 3 while you were editing")).to_be_visible()
    page.get_by_role("button", name="Save the merged job").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    now = system.call("GET", f"/jobs/{name}").json()
    assert (now["version"], now["subject"], now["description"]) == (4, "mine", "third")


def test_a_browser_that_keeps_no_draft_is_said_to(visit: NewVisit, job: NewJob) -> None:
    ann = visit("jobs")
    ann.context.add_init_script(
        "Storage.prototype.setItem = function (name) {"
        " if (name.startsWith('nightmail-draft')) throw new DOMException('full', 'QuotaExceededError') }"
    )
    page = ann.go(f"jobs/{quote(job(SUMS))}/edit")
    page.get_by_label("Subject").fill("not kept")
    expect(page.locator(".sentence")).to_contain_text("Not saved. This browser keeps no draft")


def test_a_draft_that_two_tabs_change_is_said_in_both(visit: NewVisit, job: NewJob) -> None:
    ann = visit(f"jobs/{quote(job(SUMS))}/edit")
    second: Page = ann.context.new_page()
    ann.listen(second)
    second.goto(ann.page.url)
    second.locator(".code .cm-content").wait_for()
    ann.page.get_by_label("Subject").fill("of the first tab")
    expect(second.get_by_role("alert")).to_contain_text("Another tab changes this draft, too.")
    expect(second.get_by_label("Subject")).to_have_value("")
    second.get_by_role("button", name="Go on with that one").click()
    expect(second.get_by_label("Subject")).to_have_value("of the first tab")
    expect(second.get_by_role("alert")).to_have_count(0)
    second.get_by_label("Subject").fill("of the second tab")
    expect(ann.page.get_by_role("alert")).to_contain_text("Another tab changes this draft, too.")
    expect(ann.page.get_by_label("Subject")).to_have_value("of the first tab")


def test_an_ended_session_keeps_the_draft_for_who_signs_in_again(visit: NewVisit, job: NewJob) -> None:
    ann = visit(f"jobs/{quote(job(SUMS))}/edit")
    ann.expect_complaints("401")
    page = ann.page
    page.locator(".code .cm-content").wait_for()
    page.get_by_label("Subject").fill("typed before the end")
    ann.context.clear_cookies()
    # Another request may have found the end before: then there is no such button any more.
    page.evaluate("document.querySelector('.actions .button.primary')?.click()")
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended. Your draft is kept.")
    page.get_by_label("Token").fill(ann.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Subject")).to_have_value("typed before the end")
    expect(page.locator(".sentence")).to_contain_text("Not saved.")


def test_a_tab_that_is_hidden_for_five_minutes_ends_its_stream_until_it_is_seen_again(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job()
    ann = visit("jobs")
    page = ann.page
    page.clock.install()
    show = """(hidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden })
        document.dispatchEvent(new Event("visibilitychange"))
    }"""
    with page.expect_response("**/events/stream?*"):
        ann.go("jobs")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    ended: list[str] = []
    page.on("requestfailed", lambda request: ended.append(request.url))
    page.evaluate(show, True)
    page.clock.run_for(20_000)
    assert not [url for url in ended if "/events/stream" in url]
    # No heartbeat comes in this time of the clock: other tabs may be seen, so that the hidden one opens another stream.
    with (
        page.expect_event("requestfailed", lambda request: "/events/stream" in request.url),
        page.expect_response("**/events/stream?*"),
    ):
        page.clock.run_for(10_000)
    page.clock.run_for(271_000)
    opened: list[str] = []
    page.on("request", lambda request: opened.append(request.url))
    page.clock.run_for(60_000)
    assert not [url for url in opened if "/events/stream" in url]
    system.run_when(system.run(name), "delivered")
    with page.expect_response("**/events/stream?*"):
        page.evaluate(show, False)
    page.clock.resume()
    expect(page.locator("tr", has_text=name)).to_contain_text("delivered")


def test_a_page_that_knows_a_log_from_before_a_restore_is_loaded_again(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job()
    ann = visit("jobs")
    page = ann.page
    expect(page.get_by_role("link", name=name)).to_be_visible()

    def is_of_another_log(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"sequence": 1_000_000})

    ann.expect_complaints("400 \\(Bad Request\\)")
    page.route(re.compile(r":\d+/me$"), is_of_another_log, times=1)
    page.reload()
    expect(page.get_by_role("link", name=name)).to_be_visible()
    system.run(name)
    expect(
        page.get_by_role("row", name=re.compile(name)).get_by_role("link", name=re.compile("^delivered"))
    ).to_be_visible()
