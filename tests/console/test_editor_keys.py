"""The keyboard while a script is typed: each key reaches the editor, and no shortcut of the console takes it."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from console.conftest import NewVisit
from e2e.conftest import Nightmail

NewJob = Callable[..., str]

#: Has the keys of the shortcuts for other pages, the search, the list of keys and the actions.
LINE = "data.groupby('a') / 2 # why? gj gr n e"


@pytest.mark.parametrize("page_kind", ["edit", "new"])
def test_each_key_that_is_typed_into_the_script_arrives_there(visit: NewVisit, job: NewJob, page_kind: str) -> None:
    path = f"jobs/{quote(job())}/edit" if page_kind == "edit" else "jobs/new?from=nothing"
    page = visit(path).page
    page.locator(".code .cm-content").wait_for()
    address = page.url
    page.get_by_role("textbox", name="Script").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(LINE)
    expect(page.locator(".code .cm-content")).to_have_text(LINE)
    expect(page.locator("dialog")).to_have_count(0)
    assert page.url == address


def watch_defaults(page: Page) -> None:
    """Note in `data-prevented` of the page whether the browser's own action of the last key was prevented."""
    page.evaluate(
        "addEventListener('keydown', (event) => { document.body.dataset.prevented = String(event.defaultPrevented) })"
    )


@pytest.mark.parametrize("modifier", ["Control", "Meta"])
def test_ctrl_s_saves_from_inside_the_editor(system: Nightmail, visit: NewVisit, job: NewJob, modifier: str) -> None:
    name = job()
    page = visit(f"jobs/{quote(name)}/edit").page
    page.locator(".code .cm-content").wait_for()
    watch_defaults(page)
    page.get_by_role("textbox", name="Script").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("return data.tail(3)")
    page.keyboard.press(f"{modifier}+s")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator("body")).to_have_attribute("data-prevented", "true")
    saved = system.call("GET", f"/jobs/{name}").json()
    assert (saved["version"], saved["processing_script"]) == (2, "return data.tail(3)")


def test_ctrl_s_on_a_new_report_marks_what_must_be_changed_and_is_the_browsers_elsewhere(visit: NewVisit) -> None:
    ann = visit("jobs")
    ann.expect_complaints("400")
    page = ann.page
    watch_defaults(page)
    page.keyboard.press("Control+s")
    expect(page.locator("body")).to_have_attribute("data-prevented", "false")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("save the report that is edited")
    ann.go("jobs/new?from=nothing")
    page.get_by_label("Name").fill("without recipients")
    page.keyboard.press("Control+s")
    expect(page.locator(".toast")).to_contain_text("Not saved: ")
    expect(page.get_by_label("Recipients")).to_have_attribute("aria-invalid", "true")
