"""The pages Mail, Explain and Log, in a real browser against a whole running system."""

import json
from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import Route, expect

from console.conftest import NewVisit
from e2e.conftest import Nightmail

NewJob = Callable[..., str]


def test_a_mail_is_found_by_its_recipient_and_explained(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    recipient = "explained@example.com"
    name = job(consumer_emails=[recipient, "other@example.com"])
    ann = visit("mail", role="viewer")
    run_id = system.run(name)
    system.run_when(run_id, "delivered")
    ann.page.get_by_role("button", name="new outcome").click()
    ann.page.get_by_label("Person, by the whole address").fill(recipient)
    ann.page.keyboard.press("Enter")
    expect(ann.page.locator("tbody tr")).to_have_count(1)
    assert f"to={quote(recipient)}" in ann.page.url
    expect(ann.page.get_by_role("cell", name="accepted")).to_be_visible()
    ann.page.get_by_role("link", name=recipient).click()
    expect(ann.page.get_by_role("heading", name="Explain a mail")).to_be_visible()
    explanation = ann.page.locator(".explanation")
    expect(explanation).to_contain_text(f"because admin ran {name}")
    expect(explanation).to_contain_text("admin wrote version 1, which ran")
    expect(explanation).to_contain_text("made 2 rows")
    expect(explanation).to_contain_text("It went to 2 people.")
    digest = system.call("GET", f"/runs/{run_id}").json()["result_sha256"]
    expect(ann.page.get_by_text(digest)).to_be_visible()
    ann.page.get_by_role("link", name="Open the run").click()
    expect(ann.page.locator(".sentence")).to_contain_text("delivered 2 rows to 2 of 2 people")


def test_a_message_id_is_pasted_with_its_brackets_and_an_unknown_one_is_said(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    run_id = system.run(job())
    system.run_when(run_id, "delivered")
    [mail] = system.call("GET", f"/runs/{run_id}").json()["mails"]
    ann = visit("mail")
    ann.page.get_by_role("link", name="Explain a mail").click()
    for pasted, answer in ((mail["message_id"], "made 2 rows"), ("<x@y.example>", "No mail of this system")):
        ann.page.get_by_label("The mail's Message-ID").fill(pasted)
        ann.page.get_by_role("button", name="Explain").click()
        expect(ann.page.get_by_text(answer)).to_be_visible()


def test_a_refused_mail_is_sent_again_to_its_recipient_only(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(consumer_emails=["again@example.com", "once@example.com"])
    run_id = system.run(name)
    system.run_when(run_id, "delivered")
    ann = visit()

    def refuse(route: Route) -> None:
        # No address is refused by the catcher of mails.
        answer = route.fetch()
        page = answer.json()
        for mail in page["items"]:
            if mail["recipient"] == "again@example.com":
                mail |= {"outcome": "refused", "answer": "550 5.1.1 no such user"}
        route.fulfill(response=answer, body=json.dumps(page))

    ann.page.route("**/mails?*", refuse)
    ann.go(f"mail?job={quote(name)}")
    expect(ann.page.get_by_text("550 5.1.1 no such user")).to_be_visible()
    ann.page.get_by_role("button", name="Send again to again@example.com").click()
    expect(ann.page.locator(".toast")).to_contain_text("Sending it to again@example.com again.")
    expect(ann.page.locator(".timeline")).to_contain_text("asked to send again")
    expect(ann.page.locator(".timeline li", has_text="accepted")).to_have_count(2)
    mails = {mail["recipient"]: mail["message_id"] for mail in ledger(system, name)}
    assert mails["once@example.com"].startswith(f"<{run_id}.")
    assert not mails["again@example.com"].startswith(f"<{run_id}.")


def ledger(system: Nightmail, job_name: str) -> list[dict[str, str]]:
    """Return the newest mail of each recipient of a job."""
    items = system.call("GET", "/mails", params={"job_name": job_name}).json()["items"]
    newest = {item["recipient"]: item for item in reversed(items)}
    return list(newest.values())


def test_the_log_is_filtered_followed_and_shows_an_event(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job()
    ann = visit(f"log?job={quote(name)}")
    expect(ann.page.locator(".log > li")).to_have_count(1)
    entry = ann.page.locator(".log summary").first
    expect(entry).to_contain_text("job-created")
    expect(entry).to_contain_text("by admin")
    entry.click()
    expect(ann.page.locator(".log-body pre")).to_contain_text('"type": "job-created"')
    run_id = system.run(name)
    system.run_when(run_id, "delivered")
    expect(ann.page.locator(".log > li")).to_have_count(1)
    ann.page.get_by_role("button", name="5 new events").click()
    expect(ann.page.locator(".log > li")).to_have_count(6)
    ann.page.get_by_role("button", name="Follow").click()
    expect(ann.page.get_by_role("button", name="Following")).to_be_visible()
    system.call("POST", f"/jobs/{name}/pause")
    expect(ann.page.locator(".log summary").first).to_contain_text("job-paused")
    ann.page.get_by_label("Type").select_option("run-requested")
    expect(ann.page.locator(".log > li")).to_have_count(1)
    expect(ann.page.locator(".log summary")).to_contain_text("by hand, admin")


def test_the_log_pages_backwards_without_a_gap(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job()
    for action in ("pause", "resume") * 30:
        system.call("POST", f"/jobs/{name}/{action}")
    ann = visit(f"log?job={quote(name)}")
    expect(ann.page.locator(".log > li")).to_have_count(50)
    ann.page.get_by_role("button", name="More").click()
    expect(ann.page.locator(".log > li")).to_have_count(61)
    shown = [int(text.replace(",", "")) for text in ann.page.locator(".log .seq").all_text_contents()]
    events = system.call("GET", "/events", params={"job_name": name, "limit": 100}).json()["items"]
    assert shown == [event["seq"] for event in reversed(events)]
