"""The mails themselves: headers that parse, texts that say what matters, and a look in a real browser."""

import email
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from uuid import uuid4

import pytest

from mailer.processes import CSV, failure_of, result_of
from nightmail_common.events import ResultReady, RunError, Timings
from nightmail_common.job import Job
from nightmail_mailer.attachment import Attachment, carried, encoded_size
from nightmail_mailer.deliver import Order
from nightmail_mailer.links import Links
from nightmail_mailer.mails import Mails, MailTo
from nightmail_mailer.preview import preview

MakeJob = Callable[..., Job]
ATTACHED = Attachment(CSV)
LINKS = Links("https://nightmail.example.com", "k" * 32, timedelta(days=30))
MAILS = Mails("nightmail@example.com", LINKS)
UNNAMED = "Überblick: Verkäufe & „Kasse“ ✓ 日本"


def parsed(mail_to: MailTo, recipient: str = "reports@example.com") -> EmailMessage:
    mail = email.message_from_bytes(mail_to(recipient), policy=default)
    assert not mail.defects
    for name, value in mail.items():
        assert not value.defects, (name, value.defects)
    return mail


def result_mail(event: ResultReady, csv: bytes = CSV, attachment: Attachment | None = ATTACHED) -> MailTo:
    order = Order(event.job, event.run_id, "result", event.job.consumer_emails)
    return MAILS.result(order, event, csv, attachment)


def text_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


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


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the look of the mails is not tested")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_mails_are_drawn_by_a_browser_in_light_and_dark(dark: bool, tmp_path: Path, make_job: MakeJob) -> None:
    csv = b"region,product,amount,share\n" + b"".join(
        b"Region %d,Product %d,%d.50,%.3f\n" % (number, number % 7, number * 997, number / 50) for number in range(50)
    )
    job = make_job(description="Sales by region.", processing_script="a = 1\nb = data['amont']\nreturn b")
    result = result_mail(result_of(job, csv=csv, rows=50), csv, Attachment(csv))
    error = RunError(stage="script", type="KeyError", message="'amont'", line=2)
    failed = failure_of(job, error=error, timings=Timings(total_ms=1))
    failure = MAILS.failure(Order(job, uuid4(), "failure", ()), failed, 3, failed.scheduled_at)
    (tmp_path / "all.html").write_text(text_of(parsed(result), "html") + text_of(parsed(failure), "html"))
    assert CHROMIUM is not None
    picture = tmp_path / "mail.png"
    subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            *(["--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]),
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--screenshot={picture}",
            "--window-size=900,1500",
            (tmp_path / "all.html").as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert picture.stat().st_size > 20_000
