"""What a mail says and carries: its text, its table, its files."""

import io
import re
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape

import pytest

from nightmail_common.contract.events import Note, RunError
from nightmail_common.contract.job import Job
from nightmail_mailer.compose.attachment import Attachment, choose_attachments, encoded_size, zip_files
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer
from nightmail_mailer.compose.table_preview import preview_csv
from support.deadlines import scaled
from support.mailer_process import CSV, failure_of, result_of
from support.mails import ATTACHED, RENDERER, parsed, result_mail, text_of

MakeJob = Callable[..., Job]
UNNAMED = "Überblick: Verkäufe & „Kasse“ ✓ 日本"


def test_the_attachment_is_the_csv_byte_for_byte_named_after_job_and_date(make_job: MakeJob) -> None:
    csv = 'name\r\n"a\nb"\r\n.\r\né\r\n'.encode()
    mail = parsed(result_mail(result_of(make_job(job_name=UNNAMED), csv=csv, rows=3), csv, Attachment(csv)))
    (part,) = mail.iter_attachments()
    assert part.get_payload(decode=True) == csv
    assert part.get_content_type() == "text/csv"
    assert part.get_filename() == "Überblick_ Verkäufe & „Kasse“ ✓ 日本 2026-11-23.csv"


def test_the_table_of_a_mail_is_read_from_the_beginning_of_a_large_result(make_job: MakeJob) -> None:
    long = "x" * 200_000
    content = f"a,b\n1,{long}\n".encode() + b"2,3\n" * 5_000_000
    began = time.process_time()
    preview = preview_csv(content, 5_000_001)
    assert time.process_time() - began < scaled(0.2)
    assert preview.rows[:2] == [["1", "x" * 39 + "…"], ["2", "3"]]
    assert preview.caption == "first 20 of 5,000,001 rows"

    wide = ",".join(f"c{number}" for number in range(16_384))
    rows = ("," * 16_383 + "\n") + ("y" * 100 + ",") * 16_383 + "y\n"
    preview = preview_csv(f"{wide}\n{rows}".encode() * 2, 2)
    assert (len(preview.columns), preview.total_columns) == (12, 16_384)
    assert preview.rows == [[""] * 12]
    assert preview.caption == "first 1 of 2 rows, first 12 of 16,384 columns"


def test_text_and_html_show_the_due_time_the_description_the_rows_and_the_duration(make_job: MakeJob) -> None:
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


def test_a_result_without_rows_or_columns_says_so_in_words_and_line_breaks_of_the_description_are_kept(
    make_job: MakeJob,
) -> None:
    job = make_job(description="First line.\r\nSecond <b>line</b>.")
    for content, columns, words in ((b"a,b\n", ("a", "b"), "no rows"), (b'""\n', (), "no columns")):
        event = result_of(job, csv=content, rows=0, columns=columns)
        mail = parsed(result_mail(event, content, Attachment(content)))
        for kind in ("plain", "html"):
            assert f"The result has {words}." in text_of(mail, kind)
        assert "First line.\nSecond <b>line</b>." in text_of(mail, "plain").replace("\r", "")
        assert "First line.<br>Second &lt;b&gt;line&lt;/b&gt;." in text_of(mail, "html")


def test_a_table_is_readable_where_a_mail_program_drops_the_style_element(make_job: MakeJob) -> None:
    html = text_of(parsed(result_mail(result_of(make_job()))), "html")
    without_style = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    for tag, cell in (("th", "amount"), ("td", "17")):
        styles = re.search(rf'<{tag}[^>]* style="([^"]*)">{cell}<', without_style)
        assert styles, cell
        for needed in ("text-align: right", "padding:", "border-bottom:", "white-space: nowrap"):
            assert needed in styles[1]
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style
    assert "prefers-color-scheme: dark" in style[1]
    assert "td{" not in style[1].partition("@media")[0].replace(" ", "")


def test_the_link_to_unsubscribe_is_whole_in_every_mail(make_job: MakeJob) -> None:
    event = failure_of(make_job())
    failure = RENDERER.failure(MailJob(event.job, event.run_id, "failure", ()), event, 1, None)
    for render_for in (result_mail(result_of(make_job())), failure):
        for kind in ("plain", "html"):
            assert re.search(r'https://nightmail\.example\.com/[\w/.-]{60,}["\r]', text_of(parsed(render_for), kind))


def test_a_message_is_markdown_above_the_table_with_its_values_filled(make_job: MakeJob) -> None:
    message = "**{{ rows }} rows** of {{ job_name }} on {{ scheduled_at.strftime('%d.%m.%Y') }}\nsee [the plan](https://example.com/p)"
    mail = parsed(result_mail(result_of(make_job(message=message))))
    html = re.sub(r' style="[^"]*"', "", text_of(mail, "html"))
    assert "<p><strong>2 rows</strong> of daily sales on 23.11.2026<br>" in html
    assert '<a href="https://example.com/p">the plan</a>' in html
    assert html.index("the plan") < html.index("<table>")
    plain = text_of(mail, "plain").replace("\r", "")
    assert "**2 rows** of daily sales on 23.11.2026\nsee [the plan](https://example.com/p)\n" in plain


def test_a_message_has_no_raw_html_no_image_and_only_links_that_mail_programs_open(make_job: MakeJob) -> None:
    message = (
        "<script>x</script> <b>y</b> [a](javascript:alert(1)) [b](data:text/html,x) [c](file:///etc/passwd) "
        "![d](https://example.com/p.gif) [e](//example.com) [f](mailto:a@example.com) <JAVASCRIPT:x>"
    )
    html = text_of(parsed(result_mail(result_of(make_job(message=message)))), "html")
    assert not re.search(r"<script|<b>|<img", html)
    assert set(re.findall(r'href="([^"]*)"', html.partition('class="message"')[2].partition("<table")[0])) == {
        "https://example.com/p.gif",
        "mailto:a@example.com",
    }


@pytest.mark.parametrize(
    "value",
    [
        "<b>x</b>",
        "[x](https://evil.example)",
        "**x**",
        "# x",
        "x\n\n# y",
        "`x`",
        "<https://evil.example>",
        "&lt;",
        "1. x",
        "|a|\n|-|",
    ],
)
def test_a_value_in_a_message_is_text_and_never_markup(value: str, make_job: MakeJob) -> None:
    event = result_of(make_job(message="{{ columns[0] }}\n\n- {{ columns | join(', ') }}"), columns=(value,))
    part = text_of(parsed(result_mail(event)), "html").partition('class="message"')[2].partition("</div>")[0]
    assert set(re.findall(r"<(\w+)", part)) == {"p", "ul", "li"}
    shown = unescape(re.sub(r"<[^>]*>", "", part.partition(">")[2])).split("\r\n")
    assert shown.count(" ".join(value.split())) == 2


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ columns[9] }}", "columns has no element 9"),
        ("{{ rows | round(25) }}", "a subject rounds to at most 20 digits"),
        ("{{ rows['<b>'] }}", "'int object' has no attribute '<b>'"),
    ],
)
def test_a_subject_or_message_that_cannot_be_filled_has_the_reason_in_the_mail(
    template: str, why: str, make_job: MakeJob
) -> None:
    mail = parsed(result_mail(result_of(make_job(subject=template, message=template))))
    for kind in ("plain", "html"):
        shown = text_of(mail, kind) if kind == "plain" else unescape(text_of(mail, kind))
        assert f"The job has a subject that could not be filled: {why}." in shown
        assert f"The job has a message that could not be filled: {why}." in shown
    assert "<b>" not in text_of(mail, "html")


def test_a_message_that_cannot_be_filled_says_so(make_job: MakeJob) -> None:
    mail = parsed(result_mail(result_of(make_job(message="{{ columns[9].x }} and {{ 1 - 'a' }}"))))
    for kind in ("plain", "html"):
        assert "The job has a message that could not be filled: " in text_of(mail, kind)


def test_the_notes_of_a_run_are_in_its_mail(make_job: MakeJob) -> None:
    read = (Note(stage="parse", text="line 3 is short; it was filled"), Note(stage="fetch", text="encoding <latin>"))
    notes = (*read, Note(stage="output", text="figure 1 shows boxes"))
    mail = parsed(result_mail(result_of(make_job(), notes=notes)))
    for kind in ("plain", "html"):
        shown = unescape(text_of(mail, kind))
        assert "Notes on the data: line 3 is short; it was filled; encoding <latin>." in shown
        assert "Notes on the report: figure 1 shows boxes." in shown
    assert "Notes" not in text_of(parsed(result_mail(result_of(make_job()))), "plain")


def test_cells_and_column_names_are_text_and_never_markup(make_job: MakeJob) -> None:
    csv = b"<b>,x\n<script>alert(1)</script>,<img src=https://example.com/p.gif>\n"
    html = text_of(parsed(result_mail(result_of(make_job(), csv=csv, rows=1), csv, Attachment(csv))), "html")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("kind", ["failure", "recovery"])
def test_a_mail_about_failures_says_why_its_reader_gets_it(kind: str, make_job: MakeJob) -> None:
    named = make_job(failure_emails=("owner@example.com",))
    for job, reason in ((named, "named for the failures"), (make_job(), "a recipient")):
        if kind == "failure":
            failed = failure_of(job)
            mail_job = MailJob(job, failed.run_id, "failure", ())
            mail = parsed(MailRenderer("nightmail@example.com", None).failure(mail_job, failed, 1, None))
        else:
            works = result_of(job)
            mail_job = MailJob(job, works.run_id, "recovery", ())
            renderer = MailRenderer("nightmail@example.com", None)
            mail = parsed(renderer.recovery(mail_job, works, 2, datetime(2026, 11, 22, tzinfo=UTC)))
        for part in ("plain", "html"):
            assert f"because you are {reason} of " in text_of(mail, part)
        assert ("Its owner can remove you" in text_of(mail, "html")) == (job is not named)


def test_an_error_without_a_message_has_no_colon(make_job: MakeJob) -> None:
    failed = failure_of(make_job()).model_copy(
        update={"error": RunError(stage="script", type="AssertionError", message="", line=1)}
    )
    mail = parsed(RENDERER.failure(MailJob(failed.job, failed.run_id, "failure", ()), failed, 1, None))
    assert "AssertionError" in text_of(mail, "plain").splitlines()
    assert ">AssertionError</p>" in text_of(mail, "html")


def test_a_block_of_code_in_a_message_has_space_above_it(make_job: MakeJob) -> None:
    html = text_of(parsed(result_mail(result_of(make_job(message="Run this:\n\n    ls")))), "html")
    [style] = re.findall(r'<pre style="([^"]*)"', html)
    assert "margin: 12px 0 0" in style


def test_a_mail_loads_nothing_from_the_network(make_job: MakeJob) -> None:
    event = failure_of(make_job())
    mail_job = MailJob(event.job, event.run_id, "failure", ())
    for render_for in (result_mail(result_of(make_job())), RENDERER.failure(mail_job, event, 1, None)):
        html = text_of(parsed(render_for), "html")
        assert not re.search(r"src\s*=|@import|url\(|<link|<iframe|<object|<form", html)


def test_a_failure_mail_shows_the_stage_the_error_and_the_line_of_the_script(make_job: MakeJob) -> None:
    job = make_job(processing_script="a = 1\nb = data['amont']\nreturn b")
    error = RunError(stage="script", type="KeyError", message="'amont'", line=2)
    event = failure_of(job, error=error, log="\n".join(f"line {number}" for number in range(100)))
    mail_job = MailJob(job, event.run_id, "failure", job.consumer_emails)
    since = datetime(2026, 11, 23, 7, tzinfo=UTC)
    mail = parsed(RENDERER.failure(mail_job, event, 3, since))
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
    files = [Attachment(csv), Attachment(b"x" * 1000, "xlsx")]
    assert choose_attachments(files, 2 * 1024**2, "sales") == tuple(files)
    [archive] = choose_attachments(files, 1024**2, "sales")
    assert archive.format == "zip"
    with zipfile.ZipFile(io.BytesIO(archive.data)) as unpacked:
        assert {name: unpacked.read(name) for name in unpacked.namelist()} == {
            "sales.csv": csv,
            "sales.xlsx": b"x" * 1000,
        }
    assert choose_attachments(files, 64 * 1024, "sales") == ()


def test_the_mail_of_a_compressed_result_says_so(make_job: MakeJob) -> None:
    mail = parsed(result_mail(result_of(make_job()), CSV, zip_files([Attachment(CSV)], "daily sales")))
    [part] = mail.iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == ("application/zip", "daily sales 2026-11-23.zip")
    for kind in ("plain", "html"):
        assert "a zip archive, because it is too large for a mail otherwise." in " ".join(text_of(mail, kind).split())


def test_every_file_of_a_result_is_attached_with_its_type(make_job: MakeJob) -> None:
    event = result_of(make_job())
    mail_job = MailJob(event.job, event.run_id, "result", ())
    mail = parsed(RENDERER.result(mail_job, event, CSV, [ATTACHED, Attachment(b"PK", "xlsx")]))
    spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert [(part.get_content_type(), part.get_filename()) for part in mail.iter_attachments()] == [
        ("text/csv", "daily sales 2026-11-23.csv"),
        (spreadsheet, "daily sales 2026-11-23.xlsx"),
    ]
    assert "daily sales 2026-11-23.csv and as daily sales 2026-11-23.xlsx." in text_of(mail, "plain")


@pytest.mark.parametrize(
    ("job_name", "name", "ascii_name"),
    [
        ("daily sales", "daily sales", "daily sales"),
        ('"<>:\\/|?*', "_________", "_________"),
        ("a\u202ecod.exe", "a cod.exe", "a cod.exe"),
        ("a\tb\x00c", "a b c", "a b c"),
        ("CON", "_CON", "_CON"),
        ("nul.txt", "_nul.txt", "_nul.txt"),
        ("Console", "Console", "Console"),
        ("..sales..", "sales", "sales"),
        ("...", "report", "report"),
        ("Überblick", "Überblick", "Uberblick"),
        ("日本", "日本", "report"),
        ("é" * 128, "é" * 50, "e" * 50),
        ("日" * 128, "日" * 50, "report"),
        ("x" * 128, "x" * 50, "x" * 50),
    ],
)
def test_a_file_has_a_short_safe_name_and_one_in_ascii_for_older_mail_programs(
    job_name: str, name: str, ascii_name: str, make_job: MakeJob
) -> None:
    event = result_of(make_job().model_copy(update={"job_name": job_name}))
    event = event.model_copy(update={"job_name": job_name})
    raw = result_mail(event)("reports@example.com")
    [part] = parsed(result_mail(event)).iter_attachments()
    assert part.get_filename() == f"{name} 2026-11-23.csv"
    assert part["Content-Type"].params["name"] == f"{ascii_name} 2026-11-23.csv"
    assert f' name="{ascii_name} 2026-11-23.csv"'.encode() in raw, "one parameter, without continuations"


def test_a_result_that_is_too_large_is_linked_instead_of_attached(make_job: MakeJob) -> None:
    mail = parsed(result_mail(result_of(make_job()), CSV, None))
    assert not list(mail.iter_attachments())
    assert "https://nightmail.example.com/shared/results/" in text_of(mail, "plain")
    assert "too large for a mail" in text_of(mail, "html")


def test_without_a_public_url_the_mail_of_a_large_result_names_the_command_that_reads_it(make_job: MakeJob) -> None:
    event = result_of(make_job())
    mail_job = MailJob(event.job, event.run_id, "result", ())
    mail = parsed(MailRenderer("nightmail@example.com", None).result(mail_job, event, CSV, []))
    assert f"nightmail runs result {event.run_id}" in text_of(mail, "plain")
    assert mail["List-Unsubscribe"] is None


def test_a_preview_copes_with_empty_long_and_wide_csv_files() -> None:
    assert preview_csv(b"", 0).caption == "The result has no columns."
    assert preview_csv(b"a,b\n", 0).caption == "The result has no rows."
    assert preview_csv(b"a\n" + b"x" * 200_000 + b"\n", 1).rows == [["x" * 39 + "…"]]
    wide = preview_csv((",".join(f"c{number}" for number in range(40)) + "\n" + ",".join("1" * 40) + "\n").encode(), 1)
    assert wide.caption == "1 row, first 12 of 40 columns"
    assert wide.numeric == [True] * 12
    assert preview_csv(b"a,b\n1\n", 1).rows == [["1", ""]]


def test_a_text_table_is_aligned_in_any_script_and_at_most_as_wide_as_a_window() -> None:
    shown = preview_csv("金額,name\n12,ab\n3456,日本\n".encode(), 2)
    assert shown.text.splitlines() == ["金額  name", "----  ----", "  12  ab", "3456  日本"]
    wide = preview_csv((",".join(f"column {n:03}" for n in range(12)) + "\n" + ",".join("1" * 12) + "\n").encode(), 1)
    narrowed = wide.narrowed(100)
    assert all(len(line) <= 100 for line in narrowed.text.splitlines())
    assert narrowed.caption == "1 row, first 8 of 12 columns"
    assert len(wide.narrowed(1).columns) == 1


def test_the_mail_of_a_late_run_says_that_it_is_late(make_job: MakeJob) -> None:
    late = result_of(make_job(), late=True)
    failed = failure_of(make_job(), late=True)
    failure = RENDERER.failure(MailJob(failed.job, failed.run_id, "failure", ()), failed, 1, None)
    for render_for in (result_mail(late), failure):
        for kind in ("plain", "html"):
            assert "This run is late: Nightmail was not running at its time." in text_of(parsed(render_for), kind)
    assert "late" not in text_of(parsed(result_mail(result_of(make_job()))), "plain")


def test_a_failure_mail_counts_the_attempts_and_shortens_long_texts(make_job: MakeJob) -> None:
    job = make_job(retries=2, processing_script="x = '" + "y" * 10_000 + "'\nreturn x")
    error = RunError(stage="script", type="ValueError", message="z" * 100_000, line=1)
    failed = failure_of(job, error=error, log="\x1b[31m" + "w" * 100_000)
    render_for = RENDERER.failure(MailJob(job, failed.run_id, "failure", ()), failed, 1, None)
    assert len(render_for("reports@example.com")) < 20_000
    for kind in ("plain", "html"):
        text = text_of(parsed(render_for), kind)
        assert "It was tried 3 times." in text
        assert "\x1b" not in text
