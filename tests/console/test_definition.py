"""What a job's page says of its definition: the schedule, the data and the limits in words, and what is probably wrong."""

from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import expect

from console.conftest import NewVisit
from console.test_pages import MAX_REQUESTS
from console.visit import settled
from e2e.conftest import Nightmail

NewJob = Callable[..., str]


def test_the_definition_is_in_words_and_asks_the_api_for_nothing_more(
    system: Nightmail, visit: NewVisit, job: NewJob
) -> None:
    system.call("PUT", "/files/orders of may.csv", content=b"id;amount\n01;1,5\n")
    source = {
        "source_type": "file",
        "location": "orders of may.csv",
        "file_type": "csv",
        "decimal": ",",
        "types": {"id": "text"},
    }
    name = job(
        data_source=source, schedule_time="0 9 1 6 *", timezone="Asia/Tokyo", timeout_seconds=90, when_empty="skip"
    )
    ann = visit("jobs")
    asked: list[str] = []
    ann.page.on("request", lambda one: asked.append(one.url) if one.resource_type == "fetch" else None)
    page = settled(ann.go(f"jobs/{quote(name)}#definition"))
    facts = page.locator("dl.facts")
    for fact in (
        "At 09:00, on day 1 of the month, only in June",
        "0 9 1 6 *",
        "Tokyo (Asia/Tokyo)",
        "the file orders of may.csv, CSV",
        "decimal comma; id as text",
        "at most 1 minute 30 seconds",
        "is not mailed",
    ):
        expect(facts).to_contain_text(fact)
    expect(facts.locator("pre")).to_have_css("white-space", "pre-wrap")
    assert len(asked) <= MAX_REQUESTS, asked


def test_what_is_probably_wrong_with_a_job_is_on_its_page(visit: NewVisit, job: NewJob) -> None:
    page = visit(f"jobs/{quote(job(schedule_time='0 9 29 2 *', consumer_emails=['ann@nodot']))}").page
    warnings = page.get_by_role("list", name="What is probably wrong").get_by_role("listitem")
    expect(warnings.filter(has_text="schedule time: ")).to_contain_text("does not run within a year")
    expect(warnings.filter(has_text="nodot")).to_have_count(1)
