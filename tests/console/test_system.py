"""The System page and the tokens, in a real browser against a whole running system."""

import json
import mailbox

import httpx
from playwright.sync_api import expect

from console.conftest import NewVisit
from e2e.conftest import Nightmail
from support.deadlines import scaled


def test_the_system_page_does_not_say_that_nothing_runs_while_nobody_can_know(
    system: Nightmail, visit: NewVisit
) -> None:
    found = system.call("GET", "/system").json()
    for service in found["services"]:
        service |= {"replicas": [], "ready": False}
    ann = visit("jobs")

    def show(state: str) -> None:
        found["checks"] = [{"name": "nats", "state": state, "detail": "not connected", "fix": "start the broker"}]
        body = json.dumps(found)
        ann.page.route(f"{system.url}/system", lambda route: route.fulfill(content_type="application/json", body=body))
        ann.go("system")

    show("problem")
    expect(ann.page.get_by_text("not known without the log")).to_have_count(4)
    expect(ann.page.get_by_text("no process runs")).to_have_count(0)
    show("ok")
    expect(ann.page.get_by_text("no process runs")).to_have_count(4)


def test_the_system_page_shows_what_runs_and_sends_a_test_mail(system: Nightmail, visit: NewVisit) -> None:
    ann = visit("")
    ann.expect_complaints("400")
    page = ann.page
    live = page.locator("a.live")
    expect(live).to_have_text("live")  # a link whose words change between press and release is not clicked
    live.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("System")
    for service in ("api", "ticker", "runner", "mailer"):
        expect(page.locator("tr", has=page.get_by_role("rowheader", name=service)).first).to_contain_text("ready")
    page.get_by_label("Send a test mail to").fill("nobody")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("is not an e-mail address")).to_be_visible()
    address = f"{ann.name}@example.com"
    page.get_by_label("Send a test mail to").fill(address)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("The server accepted it.")).to_be_visible()
    expect(page.locator(".smtp-steps li")).to_have_count(6)
    caught = [mail["To"] for mail in mailbox.Maildir(system.data_dir / "mailbox", create=False)]
    assert caught.count(address) == 1
    page.reload()
    expect(page.get_by_label("Send a test mail to")).to_have_value(address)


def test_a_viewer_sees_the_system_and_may_send_nothing(visit: NewVisit) -> None:
    cy = visit("system", role="viewer")
    cy.page.get_by_label("Send a test mail to").fill("cy@example.com")
    send = cy.page.get_by_role("button", name="Send")
    expect(send).to_have_attribute("aria-disabled", "true")
    expect(send).to_have_accessible_description("You may look. This needs the role editor; ask an admin.")
    cy.go("system/tokens")
    expect(cy.page.get_by_text("Tokens are for admins.")).to_be_visible()


def test_an_admin_makes_a_token_which_is_shown_once_and_revokes_it(system: Nightmail, visit: NewVisit) -> None:
    boss = visit("system/tokens", role="admin")
    page = boss.page
    name = f"dashboard-{boss.name}"
    page.get_by_label("Name").fill(boss.name)
    boss.expect_complaints("409")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_text("the name is taken")).to_be_visible()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Make token").click()
    token = page.locator("dialog .token").inner_text()

    def read() -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{system.url}/jobs", headers=headers, timeout=scaled(20)).status_code

    assert read() == 200
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("row", name=name)).to_contain_text("viewer")
    assert token not in page.content()
    page.get_by_role("button", name=f"Revoke the token of {name}").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("row", name=name)).to_have_count(0)
    assert read() == 401
