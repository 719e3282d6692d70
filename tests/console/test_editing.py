"""Make and change a job in the console, in a real browser against a whole running system."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, Route, expect

from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail
from support.deadlines import wait_until

NewJob = Callable[..., str]

CSV = b"region,amount\nnorth,1200\nsouth,950\nnorth,80\n"
SUMS = "return data.groupby('region', as_index=False).amount.sum()"


def edit(name: str) -> str:
    return f"jobs/{quote(name)}/edit"


def script_of(page: Page) -> None:
    """Put the focus into the editor, behind all that it has."""
    page.get_by_role("textbox", name="Script").click()
    page.keyboard.press("Control+End")


def write_script(page: Page, text: str) -> None:
    page.locator(".code .cm-content, .code").first.wait_for()
    script_of(page)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def test_a_new_analyst_gets_the_first_own_mail_in_four_steps(
    system: Nightmail, visit: NewVisit, tmp_path: Path
) -> None:
    ann = visit("jobs")  # the printed link
    page = ann.page
    name = f"first report of {ann.name}"
    data = tmp_path / f"{ann.name}.csv"
    data.write_bytes(CSV)
    # 1: a new report, of a file from this device
    page.get_by_role("button", name="New report").click()
    page.locator("input[type=file]").set_input_files(data)
    expect(page.get_by_label("File", exact=True)).to_have_value(data.name)
    page.get_by_label("Name").fill(name)
    # 2: the script, with its result beside it
    write_script(page, SUMS)
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_role("cell", name="1280")).to_be_visible()
    # 3: who gets it, and save
    page.get_by_label("Recipients").fill("ann@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    # 4: run it
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".toast")).to_contain_text("Delivered, 2 rows.")
    [run] = system.call("GET", f"/jobs/{name}/runs").json()["items"]
    assert [(mail["address"], mail["outcome"]) for mail in run["mails"]] == [("ann@example.com", "accepted")]
    assert system.call("GET", f"/runs/{run['run_id']}/result").text == "region,amount\nnorth,1280\nsouth,950\n"
    system.call("DELETE", f"/jobs/{name}", params={"erase": "true"})


def test_a_draft_is_mailed_once_to_its_writer_only(system: Nightmail, visit: NewVisit) -> None:
    system.call("PUT", "/files/once.csv", content=CSV)
    ann = visit("jobs/new?from=nothing")
    ann.expect_complaints("400")
    page = ann.page
    # Runs of other tests are mailed meanwhile: the address is this visit's own.
    address = f"{ann.name}@example.com"
    page.get_by_label("Name").fill(f"once {ann.name}")
    page.get_by_label("File", exact=True).fill("once.csv")
    write_script(page, "return data.tail(1)")
    page.get_by_label("Recipients").fill("everybody@example.com")
    send = page.get_by_role("button", name="Send", exact=True)
    status = page.locator("#send-once-to-result")
    page.get_by_label("Send me this once").fill("nobody")
    send.click()
    expect(status).to_contain_text("Not sent: ")
    page.get_by_label("Send me this once").fill(address)
    write_script(page, "return data.head(1)")
    send.click()
    expect(status).to_have_text(f"Sent. The server accepted it for {address}.")
    expect(page.get_by_role("cell", name="1200")).to_be_visible()
    [mail] = [mail for mail in system.caught_mails() if address in str(mail["To"])]
    assert str(mail["Subject"]).startswith(f"once {ann.name}")
    assert not [mail for mail in system.caught_mails() if "everybody@example.com" in str(mail["To"])]
    # A change announces a try; a person who sends before it begins is not disturbed by it.
    write_script(page, "import time\ntime.sleep(1.5)\nreturn data.tail(2)")
    send.click()
    expect(status).to_have_text(f"Sent. The server accepted it for {address}.")
    wait_until(
        lambda: len([mail for mail in system.caught_mails() if address in str(mail["To"])]) == 2, "a second mail"
    )
    write_script(page, "return data['amuont']")
    send.click()
    expect(status).to_have_text("Not sent: the try failed.")
    expect(page.get_by_role("alert")).to_contain_text("amuont")


def test_an_example_of_the_gallery_brings_its_data_and_gives_a_result_at_once(
    system: Nightmail, visit: NewVisit
) -> None:
    ann = visit("jobs/new")
    page = ann.page
    page.get_by_role("link", name="Sales by product and region").click()
    expect(page.get_by_label("File", exact=True)).to_have_value("orders.csv")
    assert "orders.csv" in {one["path"] for one in system.call("GET", "/files").json()["items"]}
    expect(page.locator(".tried table")).to_be_visible()
    # Numbers end at one edge, as in the mail; texts begin at one.
    amounts, words = page.locator(".tried td.number").first, page.locator(".tried td:not(.number)").first
    expect(amounts).to_have_css("text-align", "end")
    expect(words).to_have_css("text-align", "start")
    # The mail has its own styles, and no origin.
    mail = page.frame_locator("iframe.mail")
    expect(mail.get_by_text("CSV").first).to_be_visible()
    page.get_by_role("button", name="phone").click()
    expect(page.locator("iframe.mail")).to_have_css("width", "375px")
    # What is not saved is found again where a new report begins.
    page.get_by_label("Name").fill(f"pivot of {ann.name}")
    ann.go("jobs/new")
    page.get_by_role("link", name=f"pivot of {ann.name}").click()
    expect(page.get_by_label("Name")).to_have_value(f"pivot of {ann.name}")


def test_a_job_file_fills_the_form(system: Nightmail, visit: NewVisit, tmp_path: Path) -> None:
    ann = visit("jobs/new")
    page = ann.page
    name = f"imported {ann.name}"
    pulled = tmp_path / "job.yaml"
    pulled.write_text(
        f"job_name: {name}\nschedule_time: '09:30'\ntimezone: Asia/Tokyo\ndata_source:\n  source_type: file\n"
        "  location: once.csv\n  file_type: csv\nprocessing_script: |\n  first = data.head(1)\n  return first\n"
        "consumer_emails: [ann@example.com]\nretries: 2\nunsubscribed: []\n"
    )
    files = page.locator("input[type=file]")
    included = tmp_path / "included.yml"
    included.write_text("job_name: x\nprocessing_script: !file report.py\n")
    for wrong, words in (
        (included, "it includes report.py, which is beside it"),
        (tmp_path / "list.yaml", "a job is a mapping of fields"),
        (tmp_path / "broken.yaml", "at line 2, column 1"),
    ):
        if wrong is not included:
            wrong.write_text("- a\n" if wrong.name == "list.yaml" else "a: [1,\n")
        files.set_input_files(wrong)
        expect(page.get_by_text("Not imported: ")).to_contain_text(words)
    files.set_input_files(pulled)
    expect(page.get_by_label("Name")).to_have_value(name)
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(page.locator(".code")).to_contain_text("return first")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    saved = system.call("GET", f"/jobs/{name}").json()
    assert (saved["retries"], saved["schedule_time"], saved["processing_script"]) == (
        2,
        "09:30",
        "first = data.head(1)\nreturn first\n",
    )
    ann.go("jobs")  # the page of a job that is deleted may ask for it once more, which is a 404
    system.call("DELETE", f"/jobs/{name}", params={"erase": "true"})


def test_an_error_marks_its_line_and_the_last_good_result_stays(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    system.call("PUT", "/files/marked.csv", content=CSV)
    source = {"source_type": "file", "location": "marked.csv", "file_type": "csv"}
    page = visit(edit(job(SUMS, data_source=source))).page
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_role("cell", name="1280")).to_be_visible()
    # From now on a stored file is tried after each change of the script.
    write_script(page, "north = data.head(1)\nreturn north[['amuont']]")
    expect(page.get_by_role("alert")).to_contain_text("script, line 2: ")
    expect(page.get_by_role("alert")).to_contain_text("amount")
    expect(page.locator(".old")).to_contain_text("from before the error")
    expect(page.locator(".code .cm-lint-marker-error")).to_have_count(1)
    write_script(page, "return data.tail(1)")
    expect(page.get_by_role("cell", name="80", exact=True)).to_be_visible()
    expect(page.locator(".code .cm-lint-marker-error")).to_have_count(0)


def test_who_types_while_the_editor_loads_goes_on_in_it(visit: NewVisit, job: NewJob) -> None:
    ann = visit()
    page = ann.page
    held: list[Route] = []
    page.route("**/code-mirror.js*", lambda route: held.append(route))
    ann.go(edit(job(SUMS)))
    plain = page.locator("textarea.code-plain")
    plain.fill("return data.head(1)")
    wait_until(lambda: page.title() and held, "the page asks for the editor")
    for route in held:
        route.continue_()
    expect(plain).to_have_count(0)
    page.keyboard.insert_text("[['region']]")
    expect(page.locator(".code .cm-content")).to_have_text("return data.head(1)[['region']]")
    expect(page.locator(".sentence")).to_contain_text("Not saved. The draft is kept in this browser")


def test_a_draft_survives_a_reload_and_is_dropped_on_request(visit: NewVisit, job: NewJob) -> None:
    name = job(SUMS)
    page = visit(edit(name)).page
    write_script(page, "return data.head(1)")
    expect(page.locator(".sentence")).to_contain_text("Not saved. The draft is kept in this browser")
    page.reload()
    expect(page.locator(".code")).to_contain_text("return data.head(1)")
    page.get_by_role("button", name="Drop changes").click()
    expect(page.locator(".sentence")).to_have_text("Version 1, unchanged.")
    expect(page.locator(".code")).to_contain_text("groupby")


def test_only_what_was_changed_is_saved_as_a_new_version(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(SUMS, retries=3, compare_by=["region"], csv={"delimiter": ";"})
    page = visit(edit(name)).page
    page.get_by_label("Subject").fill("Sums of {{ job_name }}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    newest, *_ = system.call("GET", f"/jobs/{name}/versions").json()["items"]
    assert [change["field"] for change in newest["changes"]] == ["subject"]


def test_a_field_that_is_refused_says_so_beside_it(visit: NewVisit) -> None:
    ann = visit("jobs/new?from=nothing")
    ann.expect_complaints("400")
    page = ann.page
    page.get_by_label("Schedule").fill("61 * * * *")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Not saved: ")
    for label in ("Name", "Schedule", "Recipients"):
        expect(page.get_by_label(label, exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("61 is not from 0 to 59")).to_be_visible()
    page.get_by_label("Schedule").fill("09:00")
    expect(page.locator(".due-dates")).to_contain_text("At 09:00")


def test_a_change_by_somebody_else_is_merged(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(SUMS)
    ann = visit(edit(name))
    ann.expect_complaints("412")
    page = ann.page
    page.get_by_label("Subject").fill("mine")
    page.get_by_label("Recipients").fill("mine@example.com")
    page.keyboard.press("Tab")
    theirs = system.call("GET", f"/jobs/{name}").json()
    kept = ("job_name", "schedule_time", "timezone", "data_source", "processing_script")
    changed = {field: theirs[field] for field in kept}
    answer = system.call(
        "PUT", f"/jobs/{name}", json=changed | {"consumer_emails": ["theirs@example.com"], "description": "theirs"}
    )
    assert answer.status_code == 200, answer.text
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="admin saved version 2 while you were editing")).to_be_visible()
    expect(page.locator(".conflict")).to_contain_text("taken over: description")
    page.get_by_role("radio", name="Theirs").check()
    page.get_by_role("button", name="Save the merged job").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    job_now = wait_until(lambda: system.call("GET", f"/jobs/{name}").json(), "the job")
    assert (job_now["version"], job_now["subject"]) == (3, "mine")
    assert (job_now["consumer_emails"], job_now["description"]) == (["theirs@example.com"], "theirs")


def test_a_viewer_reads_the_form_and_can_change_nothing(visit: NewVisit, job: NewJob) -> None:
    page = settled(visit(edit(job(SUMS)), role="viewer").page)
    expect(page.locator(".sentence")).to_contain_text("This needs the role editor")
    for name in ("Try", "Save"):
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-disabled", "true")
    fields = page.locator(".edit").locator("input, select, textarea")
    expect(fields.and_(page.locator(":enabled"))).to_have_count(0)
    script_of(page)
    page.keyboard.type("# more")
    expect(page.locator(".code")).not_to_contain_text("# more")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('nightmail-draft'))") == []


def test_the_editor_completes_columns_and_is_left_by_keyboard(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    system.call("PUT", "/files/completed.csv", content=CSV)
    source = {"source_type": "file", "location": "completed.csv", "file_type": "csv"}
    page = visit(edit(job("return data", data_source=source))).page
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_role("columnheader", name="region")).to_be_visible()
    script_of(page)
    page.keyboard.type(".reg")
    page.locator(".cm-tooltip-autocomplete").get_by_role("option", name="region").click()
    expect(page.locator(".code")).to_contain_text(re.compile(r"return data\.region"))
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_label("How often")).to_be_focused()


def test_the_editor_names_the_data_and_completes_columns_that_the_result_has_not(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    system.call("PUT", "/files/described.csv", content=CSV)
    source = {"source_type": "file", "location": "described.csv", "file_type": "csv"}
    page = visit(edit(job("return data[['amount']].rename(columns={'amount': 'sum'})", data_source=source))).page
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_role("columnheader", name="sum")).to_be_visible()
    expect(page.get_by_text("3 rows · 2 columns: region, amount")).to_be_visible()
    write_script(page, "return data")
    page.keyboard.type(".reg")
    expect(page.locator(".cm-tooltip-autocomplete").get_by_role("option", name="region")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_label("File type").select_option("tsv")
    expect(page.get_by_text("3 rows · 2 columns: region, amount")).to_have_count(0)


def test_the_hints_about_the_data_have_no_names_of_settings_or_folders(visit: NewVisit) -> None:
    page = visit("jobs/new?from=nothing").page
    content = page.locator("main")
    expect(content).to_contain_text("Of a file that your administrator put on the server, type the path.")
    page.get_by_role("radio", name="A database query").check()
    expect(content).to_contain_text("The name of a database that your administrator has set up.")
    expect(content).not_to_contain_text(re.compile("NIGHTMAIL_|DATA_DIR"))
