"""A list keeps its rows, what is chosen and the focus while events reload it and while it grows."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail

NewJob = Callable[..., str]

#: More than the API returns in one page of summaries (100).
MANY = 110


def test_an_event_keeps_the_rows_the_choice_and_the_focus_of_a_long_list(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    names = [job(job_name=f"listed {number:03}") for number in range(MANY)]
    other = job(job_name="another job")
    ann = visit("jobs?q=listed")
    page = settled(ann.page)
    rows = page.locator("tbody tr")
    more = page.get_by_role("button", name="More")
    more.click()
    expect(rows).to_have_count(100)
    more.click()
    expect(rows).to_have_count(MANY)
    # The button is gone; the keyboard goes on at the first new row.
    expect(more).to_have_count(0)
    expect(page.get_by_role("link", name=names[100])).to_be_focused()
    chosen = page.get_by_label(f"Choose {names[-1]}")
    chosen.check()
    position = page.evaluate("scrollY")
    with page.expect_response(re.compile(r"/jobs\?.*cursor=")):
        system.run(other)
    expect(rows).to_have_count(MANY)
    expect(chosen).to_be_checked()
    assert page.evaluate("scrollY") == position
