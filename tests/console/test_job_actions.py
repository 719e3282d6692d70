"""What a page of a job or of a run offers beside its buttons: commands for a terminal, a job file, a second job like it."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import typer.main
from playwright.sync_api import Page, expect

from console.conftest import NewVisit
from e2e.conftest import Nightmail
from nightmail_cli.commands.job_file import job_to_yaml, read_job
from nightmail_cli.main import app
from support.deadlines import wait_until

NewJob = Callable[..., str]

SCRIPT = "total = data.amount.sum()\nreturn data.assign(share=data.amount / total)\n"


def commands_of(page: Page) -> list[str]:
    page.get_by_role("button", name="Commands…").click()
    lines = page.get_by_role("dialog").locator("pre").all_text_contents()
    page.keyboard.press("Escape")
    return lines


def parse(line: str) -> list[str]:
    """Return the words of a command, which the command line interface accepts; nothing runs."""
    program, *words = shlex.split(line)
    assert program == "nightmail"
    command = typer.main.get_command(app)
    rest = list(words)
    context = command.make_context("nightmail", rest[:1], resilient_parsing=True)
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, rest)
    command.make_context(name, rest, parent=context)
    return words


def test_the_commands_of_a_job_and_of_its_run_are_accepted_as_they_stand(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    name = job(job_name='Ann\'s $HOME "quoted" – 1')
    page = visit(f"jobs/{name}").page
    run_id = system.call("POST", f"/jobs/{name}/run").json()["run_id"]
    wait_until(lambda: system.call("GET", f"/runs/{run_id}").json()["status"] == "delivered", "the end of the run")
    of_job = [parse(line) for line in commands_of(page)]
    assert ["jobs", "run", name, "--wait"] in of_job
    assert ["jobs", "pause", name] in of_job
    assert all(name in words for words in of_job)
    page = visit(f"runs/{run_id}").page
    of_run = [parse(line) for line in commands_of(page)]
    assert ["runs", "result", run_id, "-o", "result.csv"] in of_run
    assert ["runs", "cancel", run_id] not in of_run


def test_a_command_is_copied_with_its_button(visit: NewVisit, job: NewJob) -> None:
    name = job()
    ann = visit(f"jobs/{name}")
    ann.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = ann.page
    page.get_by_role("button", name="Commands…").click()
    page.get_by_role("button", name="Copy: Show it").click()
    expect(page.locator(".toast")).to_contain_text("Copied the command.")
    assert shlex.split(page.evaluate("navigator.clipboard.readText()")) == ["nightmail", "jobs", "show", name]


@pytest.mark.parametrize("schedule", ["09:30", "*/10 8-18 * * 1-5"], ids=["time", "cron"])
def test_a_job_is_downloaded_as_the_file_that_pull_writes(
    system: Nightmail, visit: NewVisit, job: NewJob, tmp_path: Path, schedule: str
) -> None:
    name = job(SCRIPT, schedule_time=schedule, subject="no", description="1_000", compare_by=["region"])
    page = visit(f"jobs/{name}").page
    page.get_by_role("tab", name="Definition").click()
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="Download as YAML").click()
    file = tmp_path / downloaded.value.suggested_filename
    assert file.suffix == ".yaml"
    downloaded.value.save_as(file)
    assert job_to_yaml(read_job(file)) == job_to_yaml(system.call("GET", f"/jobs/{name}").json())


def test_a_job_is_duplicated_with_all_its_fields(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    name = job(SCRIPT, retries=3, csv={"delimiter": ";"})
    ann = visit(f"jobs/{name}")
    page = ann.page
    page.get_by_role("tab", name="Definition").click()
    page.get_by_role("link", name="Duplicate").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value(f"{name} copy")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name} copy")
    ann.go("jobs")  # the page of a job that is deleted may ask for it once more, which is a 404
    own = {"job_id", "job_name", "created_at", "updated_at", "next_run", "last_run"}
    original, copy = (system.call("GET", f"/jobs/{one}").json() for one in (name, f"{name} copy"))
    system.call("DELETE", f"/jobs/{name} copy", params={"erase": "true"})
    assert {k: v for k, v in copy.items() if k not in own} == {k: v for k, v in original.items() if k not in own}


def test_a_usual_schedule_is_picked_and_an_unusual_one_stays_as_it_is_written(visit: NewVisit) -> None:
    page = visit("jobs/new?from=nothing").page
    schedule, often, dates = page.get_by_label("Schedule"), page.get_by_label("How often"), page.locator(".due-dates")
    expect(often).to_have_value("weekdays")
    page.get_by_label("Time of day").fill("06:30")
    expect(schedule).to_have_value("30 6 * * 1-5")
    often.select_option("Every week")
    page.get_by_label("Day of the week").select_option("Friday")
    expect(schedule).to_have_value("30 6 * * 5")
    expect(dates.get_by_role("listitem").first).to_contain_text("Fri")
    often.select_option("Every month")
    page.get_by_label("Day of the month").select_option("28")
    expect(schedule).to_have_value("30 6 28 * *")
    often.select_option("Every hour")
    page.get_by_label("Minute").fill("5")
    expect(schedule).to_have_value("5 * * * *")
    often.select_option("Every day")
    expect(schedule).to_have_value("00:05")
    schedule.fill("*/10 8-18 * * 1-5")
    expect(often.locator("option:checked")).to_have_text("As written below")
    expect(page.get_by_label("Time of day")).to_have_count(0)
    schedule.fill("0 9 * * *")
    expect(often).to_have_value("day")
    expect(page.get_by_label("Time of day")).to_have_value("09:00")
    schedule.press("End")
    schedule.press("Enter")
    expect(often).to_have_count(0)
