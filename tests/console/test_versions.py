"""The versions of a job in the console: what each changed, the way back, and a change by somebody else meanwhile."""

from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import Page, expect

from console.accessibility import violations
from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail

NewJob = Callable[..., str]

FIRST = "known = data.dropna()\nreturn known.head(1)"
SECOND = "known = data.dropna()\nprint(len(known))\nreturn known.head(2)"


def change(system: Nightmail, name: str, **fields: object) -> None:
    job = system.call("GET", f"/jobs/{name}").json()
    system.call("PUT", f"/jobs/{name}", json=job | fields).raise_for_status()


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


def test_an_address_compares_two_versions(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(FIRST, job_name="two versions of one")
    change(system, quote(name, safe=""), processing_script=SECOND, retries=2)
    ann = visit(f"jobs/{quote(name, safe='')}/versions/1..2", role="viewer", width=360)
    page = settled(ann.page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Versions 1 and 2")
    expect(page.locator(".facts")).to_contain_text("Version 1admin, today")
    expect(page.get_by_role("listitem").filter(has_text="retries")).to_have_text("retries: 0 → becomes 2")
    expect(page.get_by_text("script +2 −1")).to_be_visible()
    # The page is about the lines that differ.
    expect(page.get_by_label("Changed lines of the script")).to_be_visible()
    assert violations(page) == []
    ann.go(f"jobs/{quote(name, safe='')}/versions/latest")
    expect(page.get_by_text("This address names no two versions.")).to_be_visible()
    page.get_by_role("link", name=f"versions of {name}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
