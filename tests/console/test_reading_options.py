"""The editor has a field for every option that a note or an error of reading names, and shows where a refused field is."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import expect

from console.accessibility import violations
from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail
from support.deadlines import wait_until

NewJob = Callable[..., str]

GERMAN = b"Region;Datum;Umsatz\nNord;2026-11-01;1.234,50\nS\xc3\xbcd;2026-11-02;980,00\nNord;2026-11-03;n/a\n"


def edit(name: str) -> str:
    return f"jobs/{quote(name)}/edit"


def test_the_options_that_a_note_names_are_set_in_the_editor(
    system: Nightmail, visit: NewVisit, tmp_path: Path
) -> None:
    ann = visit("jobs/new")
    page = ann.page
    data = tmp_path / f"umsatz of {ann.name}.csv"
    data.write_bytes(GERMAN)
    page.locator("input[type=file]").set_input_files(data)
    expect(page.get_by_text("thousands and decimal can say how numbers are written")).to_be_visible()
    page.get_by_text("Reading options").click()
    page.get_by_label("Decimal mark").select_option(label="comma, as in 1234,5")
    page.get_by_label("Thousands mark").select_option(label="point, as in 1.234")
    page.get_by_label("Words for a missing value").fill("n/a\n")
    page.get_by_label("Column types").fill("Datum: date")
    assert violations(page) == []
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_role("cell", name="1234.5")).to_be_visible()
    expect(page.get_by_text("thousands and decimal")).to_have_count(0)
    name = f"umsatz of {ann.name}"
    page.get_by_label("Name").fill(name)
    page.get_by_label("Recipients").fill("ann@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    source = wait_until(lambda: system.call("GET", f"/jobs/{name}").json(), "the job")["data_source"]
    assert (source["decimal"], source["thousands"]) == (",", ".")
    assert (source["na_values"], source["types"]) == (["n/a"], {"Datum": "date"})
    ann.go(edit(name))
    expect(page.get_by_text("Reading options 4 set")).to_be_visible()
    expect(page.get_by_label("Column types")).to_have_value("Datum: date")
    # An option that does not go with another file type would be refused, and has no field there.
    page.get_by_label("File type").select_option("xlsx")
    expect(page.get_by_label("Decimal mark")).to_have_count(0)
    page.get_by_label("Sheet").fill("Umsatz")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    source = system.call("GET", f"/jobs/{name}").json()["data_source"]
    assert (source["file_type"], source["sheet"]) == ("xlsx", "Umsatz")
    assert (source["thousands"], source["types"]) == (None, {"Datum": "date"})
    system.call("DELETE", f"/jobs/{name}", params={"erase": "true"})


def test_a_save_that_is_refused_leads_to_the_field(visit: NewVisit, job: NewJob) -> None:
    ann = visit(edit(job()))
    ann.expect_complaints("400")
    page = settled(ann.page)
    page.get_by_label("Recipients").fill("not an address")
    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Recipients")).to_be_focused()
    expect(page.get_by_label("Recipients")).to_be_in_viewport()
    expect(page.get_by_label("Recipients")).to_have_accessible_description(re.compile("is not an e-mail address"))
    page.get_by_label("Recipients").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Recipients")).to_have_accessible_description(re.compile("^must not be empty"))


def test_a_refused_field_in_closed_options_is_opened(visit: NewVisit, job: NewJob) -> None:
    ann = visit(edit(job()))
    ann.expect_complaints("400")
    page = settled(ann.page)
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Tries after a failure").fill("99")
    page.get_by_text("Options", exact=True).click()
    page.get_by_text("Reading options").click()
    page.get_by_label("Column types").fill("amount: money")
    page.get_by_text("Reading options").click()
    expect(page.get_by_label("Column types")).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Column types")).to_be_focused()
    page.get_by_label("Column types").fill("amount: number")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Tries after a failure")).to_be_focused()


def test_an_error_of_a_source_option_without_a_field_is_shown(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job()
    ann = visit(edit(name))
    ann.expect_complaints("400")
    page = settled(ann.page)
    answer = '{"detail": "1 field is not valid", "errors": [{"field": "data_source.auth.token", "detail": "no such secret"}]}'
    page.route(
        "**/jobs/*",
        lambda route: (
            route.fulfill(status=400, content_type="application/problem+json", body=answer)
            if route.request.method == "PUT"
            else route.continue_()
        ),
    )
    page.get_by_label("Subject").fill("another")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="data_source.auth.token")).to_contain_text("no such secret")
