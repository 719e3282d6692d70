"""The mail of a job with `compare_by`: what changed since the last delivered result."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from nightmail_common.contract.comparison import RowMark
from nightmail_common.contract.job import Job
from nightmail_common.contract.limits import MAX_MARKED_ROWS
from nightmail_common.contract.result_parts import Changes
from nightmail_mailer.compose.attachment import Attachment
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer
from nightmail_mailer.compose.table_preview import SHOWN_ROWS
from support.mailer_process import DUE, result_of
from support.mails import LINKS, parsed, text_of

MakeJob = Callable[..., Job]
RENDERER = MailRenderer("nightmail@example.com", LINKS)
CSV = b"region,amount\nnorth,17\nsouth,5\nwest,1200\n"


def changes(
    added: int = 0, removed: int = 0, changed: int = 0, since: datetime = DUE, marks: tuple[RowMark, ...] = ()
) -> Changes:
    return Changes(run_id=uuid4(), since=since, added=added, removed=removed, changed=changed, unchanged=1, marks=marks)


def mail_of(job: Job, found: Changes | None, at: datetime = DUE + timedelta(days=1)) -> tuple[str, str]:
    """Return the text and the HTML of the mail."""
    event = result_of(job, csv=CSV, rows=3, changes=found, scheduled_at=at)
    mail = parsed(RENDERER.result(MailJob(job, event.run_id, "result", ()), event, CSV, [Attachment(CSV)]))
    return text_of(mail, "plain").replace("\r\n", "\n"), text_of(mail, "html")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (changes(12, 3, 5), "12 new, 3 gone, 5 changed since Monday 09:00."),
        (changes(added=1234), "1,234 new since Monday 09:00."),
        (changes(), "Nothing changed since Monday 09:00."),
        (changes(removed=1, since=DUE - timedelta(days=7)), "1 gone since Monday, 16 November 2026, 09:00."),
        (None, "There is no earlier result to compare with."),
    ],
)
def test_the_mail_begins_with_what_changed_in_the_zone_of_the_job(
    found: Changes | None, said: str, make_job: MakeJob
) -> None:
    job = make_job(compare_by="region", message="the message", description="the description", timezone="Europe/Paris")
    for text in mail_of(job, found):
        assert text.index(said) < text.index("the description") < text.index("the message")


def test_a_job_without_compare_by_says_nothing_of_changes(make_job: MakeJob) -> None:
    text, html = mail_of(make_job(), None)
    assert "earlier result" not in text + html
    assert '<span class="mark' not in html


def test_new_and_changed_rows_are_marked_in_the_table(make_job: MakeJob) -> None:
    text, html = mail_of(make_job(compare_by="region"), changes(1, 0, 1, marks=("new", "", "changed")))
    assert (
        "         region  amount\n"
        "-------  ------  ------\n"
        "new      north       17\n"
        "         south        5\n"
        "changed  west      1200\n"
    ) in text
    for mark in ("new", "changed"):
        assert f'<span class="mark {mark}" style=' in html
    assert html.count("<td") == 9


def test_a_table_without_a_changed_row_has_no_marks(make_job: MakeJob) -> None:
    text, html = mail_of(make_job(compare_by="region"), changes(removed=1, marks=("", "", "")))
    assert "\nregion  amount\n" in text
    assert html.count("<td") == 6


def test_every_row_that_a_mail_shows_can_be_marked() -> None:
    assert MAX_MARKED_ROWS == SHOWN_ROWS


def test_times_of_the_last_six_days_are_named_by_their_weekday(make_job: MakeJob) -> None:
    job = make_job(compare_by="region", timezone="UTC")
    tuesday = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    assert "since Wednesday 08:00" in mail_of(job, changes(1, since=tuesday - timedelta(days=6)), tuesday)[0]
    assert (
        "since Tuesday, 17 November 2026, 08:00"
        in mail_of(job, changes(1, since=tuesday - timedelta(days=7)), tuesday)[0]
    )
    # A run for an older due time, on request.
    assert (
        "since Tuesday, 24 November 2026, 08:00"
        in mail_of(job, changes(1, since=tuesday), tuesday - timedelta(days=1))[0]
    )
