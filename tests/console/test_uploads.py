"""A file that is uploaded never replaces the data of another report unasked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from console.accessibility import violations
from console.conftest import NewVisit
from e2e.conftest import Nightmail

OURS = b"region,amount\nnorth,1200\nsouth,950\n"
THEIRS = b"region,amount\nwest,7\n"


def upload(page: Page, file: Path) -> Locator:
    """Drop a file on "New report"; return the dialog that may ask about it."""
    page.locator("input[type=file]").set_input_files(file)
    return page.get_by_role("dialog", name=f"{file.name} is there already")


def stored(system: Nightmail, path: str) -> bytes | None:
    answer = system.call("GET", f"/files/{path}")
    return answer.content if answer.status_code == 200 else None


@pytest.mark.parametrize(
    ("choice", "reads", "first", "second"),
    [
        ("Keep both", "-2.csv", THEIRS, OURS),
        ("Use the {} that is there", ".csv", THEIRS, None),
        ("Replace it", ".csv", OURS, None),
    ],
)
def test_a_name_that_another_file_has_is_asked_about(
    system: Nightmail, visit: NewVisit, tmp_path: Path, choice: str, reads: str, first: bytes, second: bytes | None
) -> None:
    ann = visit("jobs/new")
    page = ann.page
    file = tmp_path / f"sales of {ann.name}.csv"
    file.write_bytes(OURS)
    system.call("PUT", f"/files/{file.name}", content=THEIRS)
    dialog = upload(page, file)
    expect(dialog).to_contain_text("No report reads it now.")
    assert violations(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert stored(system, file.name) == THEIRS
    upload(page, file).get_by_role("button", name=choice.format(file.name)).click()
    expect(page.get_by_label("File", exact=True)).to_have_value(f"{file.stem}{reads}")
    assert (stored(system, file.name), stored(system, f"{file.stem}-2.csv")) == (first, second)


def test_a_file_with_the_bytes_that_are_there_is_taken_without_a_question(
    system: Nightmail, visit: NewVisit, tmp_path: Path
) -> None:
    ann = visit("jobs/new?from=nothing")
    file = tmp_path / f"same as {ann.name}.csv"
    file.write_bytes(OURS)
    system.call("PUT", f"/files/{file.name}", content=OURS)
    puts: list[str] = []
    ann.page.on("request", lambda one: puts.append(one.url) if one.method == "PUT" else None)
    dialog = upload(ann.page, file)
    expect(ann.page.get_by_label("File", exact=True)).to_have_value(file.name)
    expect(dialog).to_have_count(0)
    assert puts == []


def test_the_question_names_the_reports_that_a_replacement_changes(
    system: Nightmail, visit: NewVisit, job: Callable[..., str], tmp_path: Path
) -> None:
    ann = visit("jobs/new", width=320)
    file = tmp_path / f"read of {ann.name}.csv"
    file.write_bytes(OURS)
    system.call("PUT", f"/files/{file.name}", content=THEIRS)
    source = {"source_type": "file", "location": file.name, "file_type": "csv"}
    first = job("return data", data_source=source, job_name="<b>a reader<b>")
    dialog = upload(ann.page, file)
    expect(dialog).to_contain_text(f"The report that reads it gets your data from the next run on: {first}.")
    dialog.get_by_role("button", name="Cancel").click()
    others = [job("return data", data_source=source, job_name=f"reader {number:02}") for number in range(11)]
    dialog = upload(ann.page, file)
    expect(dialog).to_contain_text(f"{', '.join([first, *others[:9]])} and 2 more.")
    assert violations(ann.page) == []


def test_a_file_that_somebody_stores_meanwhile_is_asked_about_in_the_editor(
    system: Nightmail, visit: NewVisit, tmp_path: Path
) -> None:
    ann = visit("jobs/new?from=nothing")
    ann.expect_complaints("412")
    file = tmp_path / f"race of {ann.name}.csv"
    file.write_bytes(OURS)
    conditions: list[str | None] = []

    def store_theirs_first(route: Route) -> None:
        conditions.append(route.request.headers.get("if-none-match"))
        system.call("PUT", f"/files/{file.name}", content=THEIRS)
        route.fulfill(status=412, content_type="application/problem+json", body='{"detail": "it is there"}')

    ann.page.route(f"**/files/race*{ann.name}.csv", store_theirs_first, times=1)
    dialog = upload(ann.page, file)
    dialog.get_by_role("button", name="Keep both").click()
    expect(ann.page.get_by_label("File", exact=True)).to_have_value(f"{file.stem}-2.csv")
    assert conditions == ["*"]
    assert (stored(system, file.name), stored(system, f"{file.stem}-2.csv")) == (THEIRS, OURS)
