"""The comparison of two runs: what differs row by row, and whether the data or the script made it so."""

from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from console.conftest import NewVisit
from e2e.conftest import DataServer, Nightmail
from support.job_requests import job_request

NewJob = Callable[..., str]

KEY = "the, region"


@pytest.fixture
def source() -> Iterator[DataServer]:
    server = DataServer()
    yield server
    server.close()


def test_two_results_differ_by_the_data_and_rows_are_identified_by_a_key(
    system: Nightmail, visit: NewVisit, job: NewJob, source: DataServer
) -> None:
    location = source.serve("/a.csv", f'"{KEY}",amount\nnorth,1\nsouth,2\nwest,3\n'.encode())
    name = job("return data", data_source={"source_type": "api", "location": location, "file_type": "csv"})
    first = system.run(name)
    system.run_when(first, "delivered")
    source.serve("/a.csv", f'"{KEY}",amount\nnorth,1\nsouth,5\n<b>east</b>,4\n'.encode())
    second = system.run(name)
    system.run_when(second, "delivered")
    ann = visit(f"runs/{second}", role="viewer")
    page = ann.page
    page.get_by_role("tab", name="Compare").click()
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("The script is the same. The data changed: the difference is the data's.")
    panel.get_by_role("link", name="Show what differs").click()
    expect(page.locator(".sentence")).to_have_text("2 added, 2 removed; 1 row as before.")
    expect(page.get_by_role("region", name="Added rows").locator("tbody tr")).to_have_text(["south5", "<b>east</b>4"])
    page.get_by_label(KEY).check()
    expect(page.locator(".sentence")).to_have_text("1 added, 1 removed, 1 changed; 1 row as before.")
    expect(page.get_by_role("region", name="Changed rows").locator("tbody tr")).to_have_text(["southamount25"])
    assert page.url == f"{system.url}/console/runs/{first}/diff/{second}?key={quote(KEY).replace('%20', '+')}"
    page.reload()
    expect(page.get_by_label(KEY)).to_be_checked()
    expect(page.locator(".sentence")).to_have_text("1 added, 1 removed, 1 changed; 1 row as before.")
    # The earlier run is the one before, however the address names them.
    ann.go(f"runs/{second}/diff/{first}")
    expect(page.locator(".sentence")).to_have_text("2 added, 2 removed; 1 row as before.")
    expect(page.locator("dd a").first).to_have_attribute("href", f"/console/runs/{first}")


def test_the_script_is_blamed_where_it_alone_changed(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job()
    first = system.run(name)
    system.run_when(first, "delivered")
    now = system.call("GET", f"/jobs/{name}").json()
    changed = {field: now[field] for field in job_request()} | {"processing_script": "return data.head(1)"}
    answer = system.call("PUT", f"/jobs/{name}", json=changed)
    assert answer.status_code == 200, answer.text
    second = system.run(name)
    system.run_when(second, "delivered")
    ann = visit(role="viewer")
    ann.go(f"runs/{second}#compare")
    words = "The data is the same. The script changed (version 1 to 2): the difference is the script's."
    expect(ann.page.get_by_role("tabpanel")).to_contain_text(words)
    ann.go(f"runs/{first}#compare")
    expect(ann.page.get_by_role("tabpanel")).to_contain_text("No run before this one has a result.")


def test_a_key_that_identifies_no_row_is_refused_in_words_and_can_be_unchosen(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job("return data")
    runs = [system.run(name), system.run(name)]
    for run_id in runs:
        system.run_when(run_id, "delivered")
    ann = visit(f"runs/{runs[0]}/diff/{runs[1]}?key=region")
    ann.expect_complaints("400")
    expect(ann.page.get_by_role("alert")).to_contain_text("region")
    ann.page.get_by_label("region").uncheck()
    expect(ann.page.locator(".sentence")).to_have_text("No row differs: 3 rows as before.")
    expect(ann.page.locator("main")).to_contain_text("The results are the same, byte for byte.")
