"""The mails themselves: headers that parse, texts that say what matters, whatever stands in a job."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightmail_common.contract.events import ResultReady, RunError
from nightmail_common.contract.job import Job
from nightmail_mailer.compose.attachment import Attachment, carried, encoded_size
from nightmail_mailer.compose.render import Mails, MailTo
from nightmail_mailer.compose.table_preview import preview
from nightmail_mailer.delivery import Order
from support.mailer_process import CSV, failure_of, result_of
from support.mails import LINKS, parsed, text_of

MakeJob = Callable[..., Job]
ATTACHED = Attachment(CSV)
MAILS = Mails("nightmail@example.com", LINKS)
#: What a mail begins with (RFC 5322, 2045, 2369, 2919, 3834, 8058), and nothing else.
HEADERS = {
    *(b"To", b"From", b"Date", b"Subject", b"Message-ID", b"MIME-Version", b"Content-Type", b"Auto-Submitted"),
    *(b"List-Id", b"List-Unsubscribe", b"List-Unsubscribe-Post", b"X-Nightmail-Run"),
}
UNNAMED = "Überblick: Verkäufe & „Kasse“ ✓ 日本"


def result_mail(event: ResultReady, content: bytes = CSV, attachment: Attachment | None = ATTACHED) -> MailTo:
    order = Order(event.job, event.run_id, "result", event.job.consumer_emails)
    return MAILS.result(order, event, content, attachment)


@pytest.mark.parametrize("job_name", ["daily sales", UNNAMED, "x" * 128, "a: b; c=\"d\" 'e' <f@g>"])
@pytest.mark.parametrize("recipient", ["reports@example.com", "reports@bücher.example", '"odd one"@example.com'])
def test_every_header_is_right_by_rfc_5322_and_8058(job_name: str, recipient: str, make_job: MakeJob) -> None:
    event = result_of(make_job(job_name=job_name))
    raw = result_mail(event)(recipient)
    header, _, body = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))  # RFC 5322 section 2.1.1
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert body.isascii()
    names = [line.split(b":")[0].lower() for line in header.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert len(names) == len(set(names)), "each header once (RFC 5322 section 3.6)"
    mail = parsed(result_mail(event), recipient)
    assert mail["Subject"] == f"{job_name} · 2026-11-23 09:00"
    assert mail["From"].addresses[0].addr_spec == "nightmail@example.com"
    assert abs(mail["Date"].datetime - datetime.now(UTC)) < timedelta(minutes=1)
    assert mail["Message-ID"] == f"<{event.run_id}.result@nightmail.invalid>"
    assert mail["Auto-Submitted"] == "auto-generated"  # RFC 3834
    assert re.fullmatch(r"<[0-9a-f-]{36}\.nightmail\.invalid>", mail["List-Id"])  # RFC 2919
    assert mail["X-Nightmail-Run"] == str(event.run_id)
    unsubscribe = re.search(rb"^List-Unsubscribe: <(https://[!-;=?-~]+)>\r$", header + b"\r", re.MULTILINE)
    assert unsubscribe, "one https URL in angle brackets, neither folded nor encoded (RFC 2369, 8058)"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert recipient.encode() not in unsubscribe[1]


def test_an_address_that_only_smtputf8_can_carry_stands_in_its_header_as_it_is(make_job: MakeJob) -> None:
    raw = result_mail(result_of(make_job()))("jörg@bücher.example")
    assert raw.startswith("To: jörg@xn--bcher-kva.example\r\n".encode())  # RFC 6532


def test_the_attachment_is_the_csv_byte_for_byte_named_after_job_and_date(make_job: MakeJob) -> None:
    csv = 'name\r\n"a\nb"\r\n.\r\né\r\n'.encode()
    mail = parsed(result_mail(result_of(make_job(job_name=UNNAMED), csv=csv, rows=3), csv, Attachment(csv)))
    (part,) = mail.iter_attachments()
    assert part.get_payload(decode=True) == csv
    assert part.get_content_type() == "text/csv"
    assert part.get_filename() == f"{UNNAMED} 2026-11-23.csv"


@pytest.mark.parametrize(
    ("own", "becomes"),
    [
        ("{{ job_name }}: {{ rows }} rows", "daily sales: 2 rows"),
        ("{{ scheduled_at.strftime('%d.%m.%Y %H:%M') }} {{ columns | join('+') }}", "23.11.2026 09:00 region+amount"),
        ("plain words", "plain words"),
        ("{{ nothing }}", "daily sales · 2026-11-23 09:00"),
        ("{{ 'x' * 10 ** 9 }}", "daily sales · 2026-11-23 09:00"),
        ("{% for _ in range(10 ** 9) %}x{% endfor %}", "daily sales · 2026-11-23 09:00"),
        ("{{ ''.__class__.__mro__ }}", "daily sales · 2026-11-23 09:00"),
        ("{{ 1 / 0 }}", "daily sales · 2026-11-23 09:00"),
        ("{{ 'a\\r\\nBcc: b@example.com' }}", "a Bcc: b@example.com"),
        ("{% if %}", "daily sales · 2026-11-23 09:00"),
    ],
)
def test_a_job_may_word_its_subject_and_can_do_no_harm_with_it(own: str, becomes: str, make_job: MakeJob) -> None:
    mail = parsed(result_mail(result_of(make_job().model_copy(update={"subject": own}))))
    assert mail["Subject"] == becomes
    assert mail["Bcc"] is None


def test_a_recipient_with_a_line_end_gets_nothing(make_job: MakeJob) -> None:
    with pytest.raises(ValueError, match="one line"):
        result_mail(result_of(make_job()))("a@example.com\r\nBcc: b@example.com")


def test_text_and_html_say_when_what_for_how_many_rows_and_how_long(make_job: MakeJob) -> None:
    csv = b"region,amount\n" + b"".join(b"r%d,%d\n" % (number, number) for number in range(1234))
    job = make_job(description="Sales by region, for the Monday meeting.")
    mail = parsed(result_mail(result_of(job, csv=csv, rows=1234), csv, Attachment(csv)))
    for kind in ("plain", "html"):
        text = " ".join(text_of(mail, kind).split())
        assert "Monday, 23 November 2026, 09:00 CET, on schedule. Done in 1.2 s." in text
        assert "Sales by region, for the Monday meeting." in text
        assert "first 20 of 1,234 rows" in text
        assert "r19" in text
        assert "r20" not in text
    assert "region  amount" in text_of(mail, "plain")


def test_what_a_script_puts_into_cells_and_columns_is_text_and_never_markup(make_job: MakeJob) -> None:
    csv = b"<b>,x\n<script>alert(1)</script>,<img src=https://example.com/p.gif>\n"
    html = text_of(parsed(result_mail(result_of(make_job(), csv=csv, rows=1), csv, Attachment(csv))), "html")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_nothing_in_a_mail_is_fetched_from_elsewhere(make_job: MakeJob) -> None:
    event = failure_of(make_job())
    order = Order(event.job, event.run_id, "failure", ())
    for mail_to in (result_mail(result_of(make_job())), MAILS.failure(order, event, 1, None)):
        html = text_of(parsed(mail_to), "html")
        assert not re.search(r"src\s*=|@import|url\(|<link|<iframe|<object|<form", html)


def test_a_failure_says_which_stage_what_and_where_in_the_script(make_job: MakeJob) -> None:
    job = make_job(processing_script="a = 1\nb = data['amont']\nreturn b")
    error = RunError(stage="script", type="KeyError", message="'amont'", line=2)
    event = failure_of(job, error=error, log="\n".join(f"line {number}" for number in range(100)))
    order = Order(job, event.run_id, "failure", job.consumer_emails)
    since = datetime(2026, 11, 23, 7, tzinfo=UTC)
    mail = parsed(MAILS.failure(order, event, 3, since))
    assert mail["Subject"] == "daily sales failed · 2026-11-23 09:00"
    for kind in ("plain", "html"):
        text = " ".join(text_of(mail, kind).replace("&#39;", "'").split())
        assert "The script failed. It stopped in line 2." in text
        assert "KeyError: 'amont'" in text
        assert "b = data['amont']" in text
        assert "line 99" in text
        assert "line 79" not in text
        assert "failure 3 in a row, since Monday, 23 November 2026, 08:00 CET" in text
        assert "due next on" in text


def test_a_result_is_attached_compressed_or_linked_by_its_encoded_size() -> None:
    csv = b"0123456789," * 100_000
    assert encoded_size(57) == 78
    assert carried(csv, 2 * 1024**2) == Attachment(csv)
    compressed = carried(csv, 1024**2)
    assert compressed is not None
    assert compressed.gzipped
    assert carried(csv, 64 * 1024) is None


def test_a_result_that_is_too_large_is_linked_and_the_link_ends(make_job: MakeJob) -> None:
    mail = parsed(result_mail(result_of(make_job()), CSV, None))
    assert not list(mail.iter_attachments())
    assert "https://nightmail.example.com/shared/results/" in text_of(mail, "plain")
    assert "too large for a mail" in text_of(mail, "html")


def test_without_a_public_url_a_large_result_is_told_all_the_same(make_job: MakeJob) -> None:
    event = result_of(make_job())
    order = Order(event.job, event.run_id, "result", ())
    mail = parsed(Mails("nightmail@example.com", None).result(order, event, CSV, None))
    assert f"nightmail runs result {event.run_id}" in text_of(mail, "plain")
    assert mail["List-Unsubscribe"] is None


def test_a_preview_survives_what_csv_files_hold() -> None:
    assert preview(b"", 0).caption == "no rows"
    assert preview(b"a\n" + b"x" * 200_000 + b"\n", 1).columns == []
    wide = preview((",".join(f"c{number}" for number in range(40)) + "\n" + ",".join("1" * 40) + "\n").encode(), 1)
    assert wide.caption == "1 row, first 12 of 40 columns"
    assert wide.numeric == [True] * 12
    assert preview(b"a,b\n1\n", 1).rows == [["1", ""]]


def test_a_text_table_is_aligned_whatever_the_script_and_no_wider_than_a_window() -> None:
    shown = preview("金額,name\n12,ab\n3456,日本\n".encode(), 2)
    assert shown.text.splitlines() == ["金額  name", "----  ----", "  12  ab", "3456  日本"]
    wide = preview((",".join(f"column {n:03}" for n in range(12)) + "\n" + ",".join("1" * 12) + "\n").encode(), 1)
    narrowed = wide.narrowed(100)
    assert all(len(line) <= 100 for line in narrowed.text.splitlines())
    assert narrowed.caption == "1 row, first 8 of 12 columns"
    assert len(wide.narrowed(1).columns) == 1


def test_a_late_run_says_so_in_its_mail(make_job: MakeJob) -> None:
    late = result_of(make_job(), late=True)
    failed = failure_of(make_job(), late=True)
    failure = MAILS.failure(Order(failed.job, failed.run_id, "failure", ()), failed, 1, None)
    for mail_to in (result_mail(late), failure):
        for kind in ("plain", "html"):
            assert "This run is late: Nightmail was not running at its time." in text_of(parsed(mail_to), kind)
    assert "late" not in text_of(parsed(result_mail(result_of(make_job()))), "plain")


def test_a_failure_says_how_often_it_was_tried_and_cuts_what_is_too_long_for_a_mail(make_job: MakeJob) -> None:
    job = make_job(retries=2, processing_script="x = '" + "y" * 10_000 + "'\nreturn x")
    error = RunError(stage="script", type="ValueError", message="z" * 100_000, line=1)
    failed = failure_of(job, error=error, log="\x1b[31m" + "w" * 100_000)
    mail_to = MAILS.failure(Order(job, failed.run_id, "failure", ()), failed, 1, None)
    assert len(mail_to("reports@example.com")) < 20_000
    for kind in ("plain", "html"):
        text = text_of(parsed(mail_to), kind)
        assert "It was tried 3 times." in text
        assert "\x1b" not in text


HOSTILE = st.text(
    st.one_of(st.sampled_from("\r\n\t\0\x1b\x85\u2028 :;<>\"'%=?_@,()[]{}\\"), st.characters(codec="utf-8")),
    min_size=1,
    max_size=300,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=HOSTILE, own=HOSTILE, cell=HOSTILE, description=HOSTILE, message=HOSTILE)
def test_whatever_stands_in_a_job_or_a_result_no_header_is_injected_and_the_mail_parses(
    name: str, own: str, cell: str, description: str, message: str, make_job: MakeJob
) -> None:
    job = make_job().model_copy(update={"job_name": name, "subject": own, "description": description})
    written = io.StringIO()
    csv.writer(written).writerows([[cell, name], [own, cell]])
    content = written.getvalue().encode()
    event = result_of(job, csv=content, rows=1, columns=(cell, name))
    failed = failure_of(job, error=RunError(stage="script", type="ValueError", message=message, line=1), log=message)
    failure = MAILS.failure(Order(job, failed.run_id, "failure", ()), failed, 1, None)
    for mail_to in (result_mail(event, content, Attachment(content)), failure):
        raw = mail_to("reports@example.com")
        header = raw.partition(b"\r\n\r\n")[0]
        names = {line.partition(b":")[0] for line in header.split(b"\r\n") if not line.startswith((b" ", b"\t"))}
        assert names == HEADERS
        assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
        assert b"\n" not in raw.replace(b"\r\n", b"")
        mail = parsed(mail_to)
        for part in mail.iter_attachments():
            assert part.get_payload(decode=True) == content
