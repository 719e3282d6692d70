"""The most costly mails within the limits of a job and a result are rendered in under a second, in little memory.

The mailer renders on its event loop. Each case is the worst known one of its part: Markdown, templates, cells.
"""

import time
import tracemalloc
from collections.abc import Callable

import pytest

from nightmail_common.contract.job import Job
from nightmail_common.contract.limits import MAX_COLUMN_NAMES_JSON_BYTES, MAX_MESSAGE_TEMPLATE_CHARS
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer
from support.deadlines import scaled
from support.mailer_process import result_of

#: CPU time. The load of the machine counts where processors share a cache, so the shortest of some renderings counts.
MAX_SECONDS = scaled(1.0)
RENDERINGS = 3
#: The most is 34 MB: 900 times the columns, before the message is cut.
MAX_BYTES = 64 * 1024**2

NAMES = tuple(f"c{number:05}" for number in range(MAX_COLUMN_NAMES_JSON_BYTES // 9))
HEADER = ",".join(NAMES).encode()
TWELVE = b"a,b,c,d,e,f,g,h,i,j,k,l"


def repeated(text: str) -> str:
    return text * (MAX_MESSAGE_TEMPLATE_CHARS // len(text))


MESSAGES = {
    "nested emphasis": "*a " * 2000 + "b*" * 1000,
    "open brackets": repeated("["),
    "nested brackets": "[" * 4000 + "]" * 4000,
    "nested quotes": repeated(">" * 20 + " a\n"),
    "nested lists": "\n".join(" " * level + "- a" for level in range(120)),
    "backticks": "".join("`" * length + " " for length in range(1, 126)),
    "references": "[a]: http://" + "x" * 100 + "\n" + "[a] " * 1900,
    "list items": repeated("- a\n"),
    "headings": repeated("# a\n"),
    "wide table": "|a" * 2000 + "\n" + "|-" * 2000,
    "table of short rows": "|a" * 400 + "\n" + "|-" * 400 + "\n" + "a\n" * 3200,
    "table of empty rows": "|" * 60 + "\n" + "|-" * 59 + "|\n" + "|\n" * 3900,
    "joined columns": "{{ columns|join }}" * 200,
    "columns joined by columns": "{{ columns|join(columns|join) }}" * 100,
    "added columns": "{{ columns" + "~columns" * 900 + " }}",
    "filters of filters": "{{ columns" + "|title" * 35 + " }}",
    "filters of a long text": repeated("{{ (columns" + "~columns" * 400 + ")" + "|title" * 30 + " }}"),
    "many filters of filters": ("{{ columns" + "|title" * 35 + " }}") * 5,
    "time in the format of the columns": "{{ scheduled_at.strftime(columns" + "~columns" * 850 + ") }}",
    "columns in columns": repeated("{{ 'x' in columns }}"),
    "long time": "{{ scheduled_at.strftime('" + "%A" * 4000 + "') }}",
}
RESULTS = {
    "wide": (HEADER, (b",".join([b"1"] * len(NAMES)) + b"\n") * 20),
    "long cells": (TWELVE, (b",".join([b"x" * 4000] * 12) + b"\n") * 20),
    "markup": (TWELVE, (b",".join([b"<&>'" * 10] * 12) + b"\n") * 20),
    "digits": (TWELVE, (b",".join([b"9" * 3900] * 12) + b"\n") * 20),
    "combining characters": (TWELVE, (",".join(["\u0301" * 1900] * 12) + "\n").encode() * 20),
    "line breaks in a cell": (b"a", b'"' + b"\n" * 1_000_000 + b'"\n'),
    "quotes": (b"a", b'"' * 1_000_000 + b"\n"),
    "empty rows": (b"a", b"\n" * 1_000_000),
}


def check_cost(job: Job, header: bytes, rows: bytes) -> None:
    event = result_of(job, header + b"\n" + rows, 20)
    mail_job = MailJob(job, event.run_id, "result", ("b@example.com",))
    renderer = MailRenderer("nightmail@example.com", None)
    seconds: list[float] = []
    while not seconds or (min(seconds) >= MAX_SECONDS and len(seconds) < RENDERINGS):
        began = time.process_time()
        renderer.result(mail_job, event, event.csv.data or b"", [])
        seconds.append(time.process_time() - began)
    assert min(seconds) < MAX_SECONDS, seconds
    tracemalloc.start()
    try:
        renderer.result(mail_job, event, event.csv.data or b"", [])
        assert tracemalloc.get_traced_memory()[1] < MAX_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", MESSAGES)
def test_a_costly_message_is_rendered_in_under_a_second(make_job: Callable[..., Job], name: str) -> None:
    assert len(MESSAGES[name]) <= MAX_MESSAGE_TEMPLATE_CHARS
    check_cost(make_job(message=MESSAGES[name]), HEADER, b"1\n")


@pytest.mark.parametrize(
    "subject",
    ["{{ columns|join(columns|join) }}", "{{ columns" + "~columns" * 20 + " }}", "{{ columns|join|upper|title }}" * 5],
)
def test_a_costly_subject_is_rendered_in_under_a_second(make_job: Callable[..., Job], subject: str) -> None:
    check_cost(make_job(subject=subject), HEADER, b"1\n")


@pytest.mark.parametrize("name", RESULTS)
def test_a_costly_table_is_rendered_in_under_a_second(make_job: Callable[..., Job], name: str) -> None:
    check_cost(make_job(), *RESULTS[name])


def test_a_table_within_the_limit_is_a_table(make_job: Callable[..., Job]) -> None:
    job = make_job(message="|a|b|\n|-|-|\n|1|2|")
    event = result_of(job)
    mail = MailRenderer("nightmail@example.com", None).result(
        MailJob(job, event.run_id, "result", ("b@example.com",)), event, event.csv.data or b"", []
    )("b@example.com")
    assert b"<td" in mail
