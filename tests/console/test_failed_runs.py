"""The page of a failed run says why it failed, and leads to the script."""

import re
from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import expect

from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail

NewJob = Callable[..., str]


def test_a_failed_run_names_the_line_and_the_error_and_leads_to_the_editor(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job("known = data\nreturn known['amuont']")
    run = system.run(name)
    error = system.run_when(run, "failed")["error"]
    page = settled(visit(f"runs/{run}").page)
    sentence = page.locator(".sentence")
    expect(sentence).to_contain_text(f"failed Line 2: {error['type']}: ")
    expect(sentence).to_contain_text("amuont")
    page.get_by_role("link", name="Fix in editor").click()
    expect(page).to_have_url(re.compile(f"/console/jobs/{quote(name)}/edit$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Edit {name}")
    viewer = settled(visit(f"runs/{run}", role="viewer").page)
    expect(viewer.get_by_role("button", name="Fix in editor")).to_have_attribute("aria-disabled", "true")


def test_a_failure_outside_the_script_names_its_stage(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    source = {"source_type": "file", "location": "no such file.csv", "file_type": "csv"}
    run = system.run(job(data_source=source))
    error = system.run_when(run, "failed")["error"]
    sentence = settled(visit(f"runs/{run}").page).locator(".sentence")
    expect(sentence).to_contain_text(f"In the stage {error['stage']}: {error['type']}: ")
