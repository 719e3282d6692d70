"""The table of a run's result, by keyboard."""

from collections.abc import Callable

from playwright.sync_api import Route, expect

from console.conftest import NewVisit
from e2e.conftest import Nightmail
from support.deadlines import wait_until

NewJob = Callable[..., str]


def test_the_head_of_a_column_keeps_the_focus_while_its_order_is_loaded(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    run_id = system.run(job())
    system.run_when(run_id, "delivered")
    page = visit(f"runs/{run_id}").page
    table = page.locator("table.result")
    head = page.get_by_role("columnheader", name="amount")
    button = head.get_by_role("button")
    button.focus()
    held: list[Route] = []
    page.route("**/rows?*sort=amount", lambda route: held.append(route))
    page.keyboard.press("Enter")
    wait_until(lambda: page.title() and held, "a request for the rows in order")
    expect(table).to_have_attribute("aria-busy", "true")
    expect(table.locator("tbody tr").first).to_have_text("north1280")
    expect(button).to_be_focused()
    held[0].continue_()
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(table).to_have_attribute("aria-busy", "false")
    expect(table.locator("tbody tr").first).to_have_text("south950")
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(button).to_be_focused()
