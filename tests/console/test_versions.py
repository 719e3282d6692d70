"""The versions of a job in the console: what each changed, the way back, and a change by somebody else meanwhile."""

from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import Page, expect

from console.conftest import NewVisit
from e2e.conftest import Nightmail

NewJob = Callable[..., str]

FIRST = "known = data.dropna()\nreturn known.head(1)"
SECOND = "known = data.dropna()\nprint(len(known))\nreturn known.head(2)"


def change(system: Nightmail, name: str, **fields: object) -> None:
    job = system.call("GET", f"/jobs/{name}").json()
    about = {
        "job_id",
        "version",
        "created_at",
        "updated_at",
        "status",
        "last_run",
        "next_run",
        "unsubscribed",
        "warnings",
    }
    definition = {field: value for field, value in job.items() if field not in about} | fields
    system.call("PUT", f"/jobs/{name}", json=definition).raise_for_status()


def restore(page: Page, version: int) -> None:
    page.get_by_role("button", name=f"Restore version {version}…").click()


def test_a_version_shows_its_changed_lines_and_an_earlier_one_is_restored(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job(FIRST)
    change(system, name, processing_script=SECOND, retries=2)
    ann = visit()
    ann.go(f"jobs/{quote(name)}#versions")
    item = ann.page.locator(".list > li", has_text="v2")
    expect(item).to_contain_text("retries: 0 → becomes 2")
    item.get_by_text("script +2 −1").click()
    lines = item.locator(".diff li")
    expect(lines).to_have_text(
        [
            "known = data.dropna()",
            "−removed: return known.head(1)",
            "+added: print(len(known))",
            "+added: return known.head(2)",
        ]
    )
    restore(ann.page, 1)
    dialog = ann.page.get_by_role("dialog")
    expect(dialog).to_contain_text("It becomes version 3.")
    expect(dialog).to_contain_text("retries: 2 → becomes 0")
    dialog.get_by_role("button", name="Restore", exact=True).click()
    expect(ann.page.locator(".toast")).to_contain_text("as version 3")
    expect(dialog).to_have_count(0)
    expect(ann.page.locator(".list > li", has_text="v3")).to_contain_text("back to v1")
    restored = system.call("GET", f"/jobs/{name}").json()
    assert (restored["processing_script"], restored["retries"]) == (FIRST, 0)


def test_a_version_that_somebody_saves_meanwhile_is_compared_before_anything_is_restored(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job(FIRST)
    change(system, name, processing_script=SECOND)
    ann = visit()
    ann.go(f"jobs/{quote(name)}#versions")
    ann.expect_complaints("412")
    restore(ann.page, 1)
    dialog = ann.page.get_by_role("dialog")
    expect(dialog).to_contain_text("It becomes version 3.")
    change(system, name, retries=5)
    dialog.get_by_role("button", name="Restore", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody changed the job in the meantime.")
    expect(dialog).to_contain_text("It becomes version 4.")
    expect(dialog).to_contain_text("retries: 5 → becomes 0")
    assert system.call("GET", f"/jobs/{name}").json()["version"] == 3
    dialog.get_by_role("button", name="Restore", exact=True).click()
    expect(ann.page.locator(".toast")).to_contain_text("as version 4")


def test_a_viewer_may_not_restore(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(FIRST)
    change(system, name, processing_script=SECOND)
    ann = visit(role="viewer")
    ann.go(f"jobs/{quote(name)}#versions")
    button = ann.page.get_by_role("button", name="Restore version 1…")
    expect(button).to_have_accessible_description("You may look. This needs the role editor; ask an admin.")
    button.click(force=True)
    expect(ann.page.get_by_role("dialog")).to_have_count(0)
