"""The console by keyboard: dialogs give the focus back, the script is no trap, and the tabs keep what was chosen."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail

NewJob = Callable[..., str]


def open_dialog(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("way_out", ["Escape", "button"])
def test_a_dialog_gives_the_focus_back_however_it_is_closed(
    system: Nightmail, visit: NewVisit, job: NewJob, way_out: str
) -> None:
    name = job()
    run_id = system.run(name)
    system.run_when(run_id, "delivered")
    ann = visit()
    for path, button, closes in (
        (f"jobs/{quote(name)}", "Delete…", "Keep it"),
        (f"jobs/{quote(name)}", "Commands…", "Close"),
        (f"runs/{run_id}", "Send again…", "Close"),
    ):
        page = settled(ann.go(path))
        open_dialog(page, button)
        if way_out == "Escape":
            page.keyboard.press("Escape")
        else:
            page.get_by_role("dialog").get_by_role("button", name=closes, exact=True).focus()
            page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name=button)).to_be_focused()


def test_the_focus_is_on_the_button_after_an_action_in_its_dialog(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    run_id = system.run(job())
    system.run_when(run_id, "delivered")
    page = visit(f"runs/{run_id}").page
    open_dialog(page, "Send again…")
    page.get_by_role("dialog").get_by_role("checkbox").check()
    page.get_by_role("button", name="Send to 1 person").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Send again…")).to_be_focused()


def test_a_revoked_token_leaves_the_focus_on_the_page(system: Nightmail, visit: NewVisit) -> None:
    token = {"name": "leaver", "role": "viewer"}
    assert system.call("POST", "/tokens", json=token).status_code == 201
    page = visit("system/tokens", role="admin").page
    open_dialog(page, "Revoke the token of leaver")
    page.get_by_role("button", name="Revoke", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="leaver")).to_have_count(0)
    expect(page.locator("main")).to_be_focused()


def test_the_skip_link_leads_to_the_content_and_keeps_the_chosen_tab(visit: NewVisit, job: NewJob) -> None:
    page = settled(visit().go(f"jobs/{quote(job())}#script"))
    page.get_by_role("link", name="Skip to content").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page.get_by_role("tab", name="Script")).to_have_attribute("aria-selected", "true")


def test_home_and_end_go_to_the_first_and_the_last_tab(visit: NewVisit, job: NewJob) -> None:
    page = settled(visit(f"jobs/{quote(job())}").page)
    page.get_by_role("tab", name="Runs").focus()
    for key, tab in (("End", "Versions"), ("ArrowRight", "Runs"), ("ArrowLeft", "Versions"), ("Home", "Runs")):
        page.keyboard.press(key)
        expect(page.get_by_role("tab", name=tab)).to_be_focused()
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")


def test_tab_passes_through_the_script_until_somebody_types(visit: NewVisit, job: NewJob) -> None:
    page = settled(visit(f"jobs/{quote(job('return data'))}/edit").page)
    script, content = page.get_by_role("textbox", name="Script"), page.locator(".code .cm-content")
    content.wait_for()
    page.get_by_text("Reading options").focus()
    page.keyboard.press("Tab")
    expect(script).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("How often")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(script).to_be_focused()
    assert content.inner_text() == "return data"
    expect(page.locator(".sentence")).to_have_text("Version 1, unchanged.")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    assert content.inner_text() == "    return data"
    page.keyboard.press("Escape")
    page.wait_for_timeout(2_100)  # CodeMirror's own way out would be shut by now
    page.keyboard.press("Tab")
    expect(page.get_by_label("How often")).to_be_focused()
    script.click()
    page.keyboard.press("Tab")
    expect(script).to_be_focused()
    expect(page.get_by_text("Escape and then Tab goes to the next field")).to_be_visible()
