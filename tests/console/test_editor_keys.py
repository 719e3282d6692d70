"""The keyboard while a script is typed: each key reaches the editor, and no shortcut of the console takes it."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from console.conftest import NewVisit

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
