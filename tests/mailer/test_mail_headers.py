"""The headers of a mail: its addresses, its subject, and nothing that a job or a result puts between them."""

import csv
import io
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightmail_common.contract.events import RunError
from nightmail_common.contract.job import Job
from nightmail_common.contract.job_definition import normalise_email
from nightmail_common.contract.text import is_one_line, to_one_line
from nightmail_mailer.compose.attachment import Attachment
from nightmail_mailer.compose.errors import CannotRender
from nightmail_mailer.compose.links import Links
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer
from nightmail_mailer.smtp.addresses import to_ascii_domain
from support.deadlines import scaled
from support.mailer_process import CSV, failure_of, result_of
from support.mails import ATTACHED, RENDERER, parsed, result_mail, text_of

MakeJob = Callable[..., Job]
UNNAMED = "Überblick: Verkäufe & „Kasse“ ✓ 日本"


#: The headers of a mail (RFC 5322, 2045, 2369, 2919, 3834, 8058), and nothing else.
HEADERS = {
    *(b"To", b"From", b"Date", b"Subject", b"Message-ID", b"MIME-Version", b"Content-Type", b"Auto-Submitted"),
    *(b"List-Id", b"List-Unsubscribe", b"List-Unsubscribe-Post", b"X-Nightmail-Run"),
}


@pytest.mark.parametrize("job_name", ["daily sales", UNNAMED, "x" * 128, "a: b; c=\"d\" 'e' <f@g>"])
@pytest.mark.parametrize("recipient", ["reports@example.com", "reports@bücher.example", '"odd one"@example.com'])
def test_every_header_conforms_to_rfc_5322_and_8058(job_name: str, recipient: str, make_job: MakeJob) -> None:
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
    assert mail["Message-ID"] == f"<{event.run_id}.result@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"  # RFC 3834
    assert re.fullmatch(r"<[0-9a-f-]{36}\.example\.com>", mail["List-Id"])  # RFC 2919
    assert mail["X-Nightmail-Run"] == str(event.run_id)
    unsubscribe = re.search(rb"^List-Unsubscribe: <(https://[!-;=?-~]+)>\r$", header + b"\r", re.MULTILINE)
    assert unsubscribe, "one https URL in angle brackets, neither folded nor encoded (RFC 2369, 8058)"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert recipient.encode() not in unsubscribe[1]


@pytest.mark.parametrize(
    ("public_url", "has_header", "has_link"),
    [
        ("https://nightmail.example.com", True, True),
        ("http://nightmail.example.com", False, True),
        ("https://10.0.0.5:8443", False, True),
        ("https://nightmail.internal", False, True),
        ("https://nightmail", False, True),
        ("http://127.0.0.1:8080", False, False),
        ("http://localhost:8080", False, False),
    ],
)
def test_the_unsubscribe_header_has_only_a_public_https_url_and_the_link_is_visible_beyond_this_machine(
    public_url: str, has_header: bool, has_link: bool, make_job: MakeJob
) -> None:
    event = result_of(make_job())
    renderer = MailRenderer("nightmail@example.com", Links(public_url, "k" * 32, timedelta(days=30)))
    mail_job = MailJob(event.job, event.run_id, "result", ())
    render_for = renderer.result(mail_job, event, CSV, [ATTACHED])
    links = set()
    for recipient in ("a@example.com", "b@example.com"):
        mail = parsed(render_for, recipient)
        url = renderer.links.unsubscribe(event.job.job_id, recipient) if renderer.links else ""
        assert mail["List-Unsubscribe"] == (f"<{url}>" if has_header else None)
        assert (mail["List-Unsubscribe-Post"] is not None) == has_header
        assert (url in text_of(mail, "plain").splitlines()) == has_link
        assert (f'href="{url}"' in text_of(mail, "html")) == has_link
        links.add(url)
    assert len(links) == 2


@pytest.mark.parametrize(
    ("address", "ascii_address"),
    [
        ("user@straße.example", "user@xn--strae-oqa.example"),
        ("a@βόλος.example", "a@xn--nxasmm1c.example"),
        ("jörg@Bücher.example", "jörg@xn--bcher-kva.example"),
        ("a@例え.example", "a@xn--r8jz45g.example"),
    ],
)
def test_a_domain_is_encoded_as_idna_2008(address: str, ascii_address: str) -> None:
    assert to_ascii_domain(address) == ascii_address
    assert to_ascii_domain(normalise_email(address)) == ascii_address


@pytest.mark.parametrize("job_name", ["گزارش می‌خواهم", "क्‍ष रिपोर्ट", "team 👩‍💻"])
def test_joiners_stay_where_a_script_needs_them(job_name: str, make_job: MakeJob) -> None:
    event = result_of(make_job(job_name=job_name, subject=None))
    mail = parsed(result_mail(event))
    assert mail["Subject"] == f"{job_name} · 2026-11-23 09:00"
    assert [part.get_filename() for part in mail.iter_attachments()] == [f"{job_name} 2026-11-23.csv"]
    assert parsed(result_mail(result_of(make_job(subject=job_name))))["Subject"] == job_name


def test_a_joiner_between_latin_letters_is_left_out_of_a_subject_and_refused_in_a_template() -> None:
    assert to_one_line("pay\u200dpal\u200c\r\nx\u202ey") == "paypal x y"
    assert not is_one_line("pay\u200dpal")
    assert is_one_line("می‌خواهم")


def test_an_address_that_needs_smtputf8_is_unchanged_in_its_header(make_job: MakeJob) -> None:
    raw = result_mail(result_of(make_job()))("jörg@bücher.example")
    assert raw.startswith("To: jörg@xn--bcher-kva.example\r\n".encode())  # RFC 6532


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
def test_a_jobs_subject_template_is_rendered_and_can_do_no_harm(own: str, becomes: str, make_job: MakeJob) -> None:
    mail = parsed(result_mail(result_of(make_job().model_copy(update={"subject": own}))))
    assert mail["Subject"] == becomes
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    ("own", "becomes"),
    [
        ("{{ columns | join(columns | join) }}", "c0" + "".join(f"c{number}" for number in range(99)) + "…"),
        ("{{ columns | join(columns | join(columns | join(columns | join))) }}", None),
        ("{{ columns ~ columns }}{{ columns }}", None),
        ("{{ columns | length }} columns", "14000 columns"),
        ("{{ columns | last }} of {{ columns | first }}", "c13999 of c0"),
        ("{{ rows | round(0 - 1000000000) }}", "daily sales · 2026-11-23 09:00"),
        ("{{ rows | round(1000000000, 'ceil') }}", "daily sales · 2026-11-23 09:00"),
        ("{{ scheduled_at.strftime('%1000000000d' ~ (columns | join('%c'))) }}", None),
        ("{{ (columns | join | upper | title).strip }}", None),
    ],
)
def test_a_subject_of_a_wide_result_is_rendered_at_once(own: str, becomes: str | None, make_job: MakeJob) -> None:
    event = result_of(make_job().model_copy(update={"subject": own}))
    event = event.model_copy(update={"columns": tuple(f"c{number}" for number in range(14_000))})
    began = time.process_time()
    mail = parsed(result_mail(event))
    assert time.process_time() - began < scaled(0.2)
    assert becomes is None or mail["Subject"][:100] == becomes[:100]
    assert 0 < len(mail["Subject"]) <= 200


def test_a_recipient_with_a_line_break_gets_no_mail(make_job: MakeJob) -> None:
    with pytest.raises(CannotRender, match="one line"):
        result_mail(result_of(make_job()))("a@example.com\r\nBcc: b@example.com")


def test_a_mail_has_the_jobs_sender_its_address_for_answers_and_the_addresses_of_cc(make_job: MakeJob) -> None:
    job = make_job(
        sender_name='Sales "North", Zürich',
        reply_to="sales@bücher.example",
        cc=["boss@example.com", "other@example.com"],
        bcc=["auditor@example.com"],
    )
    event = result_of(job)
    for recipient, copies in (
        ("reports@example.com", ["boss@example.com", "other@example.com"]),
        ("boss@example.com", ["other@example.com"]),
        ("auditor@example.com", ["boss@example.com", "other@example.com"]),
    ):
        mail = parsed(result_mail(event), recipient)
        assert mail["From"].addresses[0].display_name == 'Sales "North", Zürich'
        assert mail["From"].addresses[0].addr_spec == "nightmail@example.com"
        assert mail["Reply-To"] == "sales@xn--bcher-kva.example"
        assert mail["To"] == recipient
        assert [one.addr_spec for one in mail["Cc"].addresses] == copies
        assert recipient == "auditor@example.com" or b"auditor" not in result_mail(event)(recipient)
    failed = failure_of(job)
    failure = RENDERER.failure(MailJob(job, failed.run_id, "failure", ()), failed, 1, None)
    assert parsed(failure)["Cc"] is None
    many = make_job(cc=[f"{number}{'x' * 50}@example.com" for number in range(99)])
    assert all(len(line) <= 998 for line in result_mail(result_of(many))("reports@example.com").split(b"\r\n"))


HOSTILE = st.text(
    st.one_of(st.sampled_from("\r\n\t\0\x1b\x85\u2028 :;<>\"'%=?_@,()[]{}\\"), st.characters(codec="utf-8")),
    min_size=1,
    max_size=300,
)


@settings(max_examples=30)
@given(name=HOSTILE, own=HOSTILE, cell=HOSTILE, description=HOSTILE, message=HOSTILE)
def test_no_text_of_a_job_or_a_result_injects_a_header_or_breaks_the_mail(
    name: str, own: str, cell: str, description: str, message: str, make_job: MakeJob
) -> None:
    job = make_job().model_copy(update={"job_name": name, "subject": own, "description": description})
    written = io.StringIO()
    csv.writer(written).writerows([[cell, name], [own, cell]])
    content = written.getvalue().encode()
    event = result_of(job, csv=content, rows=1, columns=(cell, name))
    failed = failure_of(job, error=RunError(stage="script", type="ValueError", message=message, line=1), log=message)
    failure = RENDERER.failure(MailJob(job, failed.run_id, "failure", ()), failed, 1, None)
    for render_for in (result_mail(event, content, Attachment(content)), failure):
        raw = render_for("reports@example.com")
        header = raw.partition(b"\r\n\r\n")[0]
        names = {line.partition(b":")[0] for line in header.split(b"\r\n") if not line.startswith((b" ", b"\t"))}
        assert names == HEADERS
        assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
        assert b"\n" not in raw.replace(b"\r\n", b"")
        mail = parsed(render_for)
        for part in mail.iter_attachments():
            assert part.get_payload(decode=True) == content
