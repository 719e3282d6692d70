"""Every page for everybody: axe finds nothing in both themes and at both widths, nothing scrolls sideways, hostile text is text."""

from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from console.accessibility import violations
from console.conftest import NewVisit, created_jobs
from console.visit import settled
from e2e.conftest import Nightmail
from support.deadlines import wait_until

NewJob = Callable[..., str]


HOSTILE = "<img src=x onerror=alert(1)> &amp; “x”"


HOSTILE_SCRIPT = (
    "print('<script>alert(2)</script>')\n"
    "data['<b onclick=alert(3)>'] = '<img src=x onerror=alert(4)>'\n"
    "return data.head(2)\n"
)


@pytest.fixture(scope="module")
def pages(system: Nightmail, sales: str) -> Iterator[dict[str, str]]:
    """The address of each page by its name, with jobs of every kind, which the tests of this file share."""
    with created_jobs(system, sales, "pages") as job:
        yield _pages(system, job)


def _pages(system: Nightmail, job: NewJob) -> dict[str, str]:
    good = job(job_name=HOSTILE, script=HOSTILE_SCRIPT, description=HOSTILE)
    bad = job("known = data\nreturn known.body_mass.mean()", job_name="sensor drift")
    delivered, failed = system.run(good), system.run(bad)
    system.run_when(delivered, "delivered")
    system.run_when(failed, "failed")
    again = system.run(good)
    system.run_when(again, "delivered")
    # A mail that is sent while somebody looks at the Overview is asked for: the page asks once more than it needs.
    wait_until(lambda: _is_reported(system, failed), "the mail about the failure")
    paused = job(job_name="paused")
    system.call("POST", f"/jobs/{paused}/pause")
    job_path = f"jobs/{quote(HOSTILE)}"
    return {
        "overview": "",
        "jobs": "jobs",
        "a job": job_path,
        "its recipients": f"{job_path}#recipients",
        "its script": f"{job_path}#script",
        "its definition": f"{job_path}#definition",
        "its versions": f"{job_path}#versions",
        "its editor": f"{job_path}/edit",
        "the gallery": "jobs/new",
        "a new job": "jobs/new?from=nothing",
        "runs": "runs",
        "a run": f"runs/{delivered}",
        "its log": f"runs/{delivered}#log",
        "its mail": f"runs/{delivered}#mail",
        "what it ran": f"runs/{delivered}#script",
        "its comparison": f"runs/{again}#compare",
        "its origin": f"runs/{again}#origin",
        "a difference": f"runs/{delivered}/diff/{again}",
        "a failed run": f"runs/{failed}",
        "mail": "mail",
        "the question about a mail": "mail/explain",
        "an explanation": f"mail/explain/{delivered}.result@localhost",
        "log": "log",
        "the year": "calendar/2026",
        "a day": f"calendar/2027/01-01?job={quote(HOSTILE)}",
        "the system": "system",
        "tokens": "system/tokens",
        "nothing": "jobs/nothing",
        "nowhere": "nowhere",
    }


def _is_reported(system: Nightmail, run_id: str) -> bool:
    mails = system.call("GET", f"/runs/{run_id}").json()["mails"]
    return any(mail["kind"] == "failure" and mail["outcome"] == "accepted" for mail in mails)


#: Of a page, besides its event stream (the budget of the console).
MAX_REQUESTS = 4


@pytest.mark.parametrize(
    ("theme", "width"),
    [
        ("light", 1200),
        ("dark", 360),
        pytest.param("dark", 1200, marks=pytest.mark.long),
        pytest.param("light", 360, marks=pytest.mark.long),
    ],
)
def test_axe_finds_nothing_and_a_page_asks_the_api_at_most_four_times(
    visit: NewVisit, pages: dict[str, str], theme: Literal["light", "dark"], width: int
) -> None:
    # Some pages show more to an admin, such as the tokens.
    ann = visit(theme=theme, width=width, role="admin")
    ann.expect_complaints("404")
    asked: list[str] = []
    ann.page.on("request", lambda one: asked.append(one.url) if one.resource_type == "fetch" else None)
    found = {}
    for name, path in pages.items():
        asked.clear()
        found[name] = violations(settled(ann.go(path)))
        if len(asked) > MAX_REQUESTS:
            found[name].append(f"it asks the API {len(asked)} times: {' '.join(asked)}")
    ann.go("jobs").get_by_role("button", name=ann.name).click()
    found["the menu"] = violations(ann.page)
    ann.page.keyboard.press("Escape")
    ann.page.keyboard.press("?")
    found["the keys"] = violations(ann.page)
    assert [f"{name}: {wrong}" for name, all_wrong in found.items() for wrong in all_wrong] == []


OVERVIEW = """
- main:
  - heading "Overview" [level=1]
  - paragraph: /need(s)? you\\./
  - heading "Needs you" [level=2]
  - link "All of them"
  - list:
    - listitem:
      - text: failed
      - link "sensor drift"
      - paragraph: /AttributeError/
      - link "Open run"
      - 'button "Run again: sensor drift"'
      - button "Pause sensor drift"
  - heading "First steps" [level=2]
  - button "Hide"
  - list:
    - listitem: /Make a report/
  - heading "Past and coming 24 hours" [level=2]
  - navigation "Past and coming due times as":
    - link "Axis"
    - link "Calendar"
  - figure:
    - img /The past 24 hours/
    - group: /As a table/
  - heading "Next jobs" [level=2]
  - link "All jobs"
  - table "The jobs that are due next":
    - rowgroup:
      - row "Job Last 12 Last run Rows Next Recipients":
        - columnheader "Job"
    - rowgroup:
      - row /sensor drift/:
        - rowheader "sensor drift"
        - cell /last runs, oldest first/
        - cell /failed/
"""


def test_the_overview_is_a_tree_of_headings_lists_and_a_table(visit: NewVisit, pages: dict[str, str]) -> None:
    expect(settled(visit(pages["overview"]).page).locator("body")).to_match_aria_snapshot(OVERVIEW)


def test_the_sign_in_page_is_accessible(visit: NewVisit) -> None:
    ann = visit()
    ann.expect_complaints("401")
    ann.context.clear_cookies()
    ann.go("")
    ann.page.get_by_role("button", name="Sign in").wait_for()
    assert violations(ann.page) == []


def test_nothing_scrolls_sideways_at_320_pixels_and_hostile_text_is_text(
    visit: NewVisit, pages: dict[str, str]
) -> None:
    ann = visit(width=320)
    ann.expect_complaints("404")
    for name, path in pages.items():
        page = settled(ann.go(path))
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
    page = settled(ann.go(pages["a job"]))
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    page = settled(ann.go(pages["a run"]))
    expect(page.get_by_role("columnheader", name="<b onclick=alert(3)>")).to_be_visible()
    expect(page.get_by_role("cell", name="<img src=x onerror=alert(4)>").first).to_be_visible()
    expect(settled(ann.go(pages["its log"])).locator("pre")).to_have_text("<script>alert(2)</script>\n")
    assert page.locator("main img, main b[onclick]").count() == 0


def test_everything_is_reached_by_keyboard(visit: NewVisit, pages: dict[str, str]) -> None:
    ann = visit()
    page = settled(ann.page)
    page.keyboard.press("g")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    page.locator("[data-row]").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("[data-row]").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("tab", name="Runs").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Recipients")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("r")
    expect(page.locator(".toast")).to_contain_text("Delivered, 2 rows.")
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.keyboard.press("/")
    page.keyboard.type("nothing like it")
    expect(page.get_by_text("No job matches.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("nothing like it")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


def test_single_keys_are_switched_off(visit: NewVisit) -> None:
    ann = visit()
    ann.page.get_by_role("button", name=ann.name).click()
    ann.page.get_by_label("Single keys are shortcuts").uncheck()
    ann.page.keyboard.press("Escape")
    ann.page.keyboard.press("?")
    expect(ann.page.get_by_role("dialog")).to_have_count(0)


def test_states_and_buttons_differ_in_forced_colours(visit: NewVisit, pages: dict[str, str]) -> None:
    ann = visit(role="viewer")
    ann.page.emulate_media(forced_colors="active")
    page = settled(ann.go("jobs"))
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    fills = page.locator(".strip .bar").evaluate_all("(bars) => bars.map((bar) => getComputedStyle(bar).fill)")
    assert len(set(fills)) >= 2
    page = settled(ann.go(pages["a job"]))
    colours = page.locator(".button").evaluate_all(
        "(buttons) => buttons.map((one) => [one.ariaDisabled, getComputedStyle(one).color])"
    )
    disabled = {colour for state, colour in colours if state == "true"}
    assert disabled
    assert disabled.isdisjoint({colour for state, colour in colours if state != "true"})
    borders = page.locator("[role=tab]").evaluate_all(
        "(tabs) => tabs.map((tab) => [tab.ariaSelected, getComputedStyle(tab).borderBottomColor])"
    )
    selected = {colour for state, colour in borders if state == "true"}
    assert selected.isdisjoint({colour for state, colour in borders if state != "true"})

    def style(selector: str, name: str) -> list[str]:
        found: list[str] = page.locator(selector).evaluate_all(
            "(all, name) => all.map((one) => getComputedStyle(one)[name])", name
        )
        assert found, selector
        return found

    # Grounds are those of the system: what they say is said by a line, too.
    page = settled(ann.go(pages["the year"]))
    assert set(style(".year a.level-0:not(.changes)", "borderTopStyle")) == {"none"}
    assert set(style(".year a:not(.level-0)", "borderTopStyle")) == {"solid"}
    assert set(style(".year a.bad", "borderBottomWidth")) == {"4px"}
    assert set(style(".year a.changes", "borderTopStyle")) == {"dotted"}
    assert style(".switch a", "outlineStyle") == ["none", "solid"]
    page = settled(ann.go(pages["a failed run"]))
    assert set(style(".script .marked", "outlineStyle")) == {"solid"}
    assert set(style(".script li:not(.marked)", "outlineStyle")) == {"none"}
    page = settled(ann.go(pages["log"]))
    page.keyboard.press("Control+k")
    page.locator(".palette [role=option]").first.wait_for()
    assert set(style(".palette [aria-selected=true]", "outlineStyle")) == {"solid"}


def test_narrow_pages_show_the_chosen_tab_and_whole_labels(visit: NewVisit, pages: dict[str, str]) -> None:
    ann = visit(role="viewer", width=360)
    page = settled(ann.go(pages["its versions"]))
    tab, row = page.get_by_role("tab", name="Versions").bounding_box(), page.get_by_role("tablist").bounding_box()
    assert tab is not None
    assert row is not None
    assert row["x"] <= tab["x"]
    assert tab["x"] + tab["width"] <= row["x"] + row["width"] + 1
    page = settled(ann.go(pages["its mail"]))
    answer = page.locator("td[data-label=Answer]").first
    lines = answer.evaluate("(cell) => getComputedStyle(cell, '::before').height")
    assert float(lines.removesuffix("px")) < 30, "the label is on one line"
