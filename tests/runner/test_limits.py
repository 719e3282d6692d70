"""The ceilings of what a run says: the event of its outcome always fits the broker, and the CSV fits its answer."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.blob import Blob, ResultFigure
from nightmail_common.contract.events import Note, ResultReady, RunError, RunFailed, Timings
from nightmail_common.contract.job import Job
from nightmail_common.contract.limits import (
    MAX_COLUMN_NAMES_JSON_BYTES,
    MAX_FIGURE_ALT_CHARS,
    MAX_FIGURES,
    MAX_NOTES_JSON_BYTES,
    MAX_SCRIPT_BYTES,
)
from nightmail_common.contract.result_parts import Runtime
from nightmail_runner.event_size import SHORTENED_CHARS, body_bytes, fitted
from nightmail_runner.sandbox.csv_check import STEP_BYTES, count_records
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded
from support.runner_process import Request, RunnerProcess, outcome_of

StartRunner = Callable[..., RunnerProcess]
#: NATS's default max_payload, less room for headers.
MAX_EVENT_BYTES = 1024**2 - 4096
#: Each of these characters takes six bytes of JSON.
WORST_SCRIPT = "#" + "\x01" * (MAX_SCRIPT_BYTES - 200) + "\n"
#: Imports that `check_imports` does not see, so that the script runs.
ANSWER = """
json, os, socket, struct = map(__import__, ("json", "os", "socket", "struct"))
def say(**message):
    body = json.dumps(message).encode()
    socket.socket(fileno=3).sendall(struct.pack('>I', len(body)) + body)
    os._exit(0)
"""


@given(
    rows=st.lists(st.tuples(st.text('ab",\n\r', max_size=4), st.text('a"\n', max_size=4)), max_size=8),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_the_records_of_every_csv_are_counted(rows: list[tuple[str, str]], quoting: int) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    with MemoryFile.of(text.getvalue().encode()) as file:
        assert count_records(file) == len(rows)


@pytest.mark.parametrize("shift", range(4))
def test_records_are_counted_across_the_steps_of_the_scan(shift: int) -> None:
    body = b'"' + b"x" * (STEP_BYTES - 3 - shift) + b'""\n' + "\N{EURO SIGN}".encode() + b'""\n"\n1\n'
    with MemoryFile.of(b"a\n" + body) as file:
        assert count_records(file) == 3


@pytest.mark.parametrize("body", [b"a\n1", b'a\n"1\n', b"a\n1\n" + bytes(5000)])
def test_a_csv_that_ends_within_a_record_has_no_count(body: bytes) -> None:
    with MemoryFile.of(body) as file:
        assert count_records(file) is None


@pytest.mark.parametrize("name", ["\x01", '"', "\\", "\N{EURO SIGN}", "\N{GRINNING FACE}", "a"])
def test_column_names_are_measured_as_the_event_writes_them(name: str, make_job: Callable[..., Job]) -> None:
    one = len(name.encode()) if name not in '\x01"\\' else {"\x01": 6}.get(name, 2)
    most = (MAX_COLUMN_NAMES_JSON_BYTES - 3) // one
    Succeeded(rows=1, columns=(name * most,))
    with pytest.raises(ValueError, match="the column names take"):
        Succeeded(rows=1, columns=(name * (most + 1),))


def result_ready(job: Job, columns: tuple[str, ...], notes: tuple[Note, ...] = (), log: str = "") -> ResultReady:
    return ResultReady(
        job_name=job.job_name,
        run_id=uuid4(),
        job=job,
        trigger="manual",
        scheduled_at=datetime.now(UTC),
        rows=1,
        columns=columns,
        csv=Blob(size=1, sha256="0" * 64, bucket="RESULTS", object_name="o" * 500),
        log=log,
        timings=Timings(total_ms=1.0),
        input_sha256="0" * 64,
        script_sha256="0" * 64,
        runtime=Runtime(python="3.14.0", pandas="3.1.1"),
        notes=notes,
    )


def test_the_largest_result_that_the_ceilings_allow_fits_its_event(make_job: Callable[..., Job]) -> None:
    job = make_job(processing_script="return data#" + "\x01" * (MAX_SCRIPT_BYTES - 12))
    columns = ("\x01" * ((MAX_COLUMN_NAMES_JSON_BYTES - 3) // 6),)
    notes = (Note(stage="parse", text="\x01" * (MAX_NOTES_JSON_BYTES // 6 - 1)),)

    stored = Blob(size=10**9, sha256="0" * 64, bucket="RESULTS", object_name="\x01" * 64 + "/" + "0" * 60)
    alt = "\U0001f600" * MAX_FIGURE_ALT_CHARS
    figures = (ResultFigure(name="figure-10.png", alt=alt, width=4000, height=4000, blob=stored),) * MAX_FIGURES
    result = result_ready(job, columns, notes, log="\x01" * 131_072).model_copy(update={"figures": figures})

    event = fitted(result, MAX_EVENT_BYTES)

    assert isinstance(event, ResultReady)
    assert (event.columns, event.notes, event.figures) == (columns, notes, figures)
    assert body_bytes(event) <= MAX_EVENT_BYTES


def test_a_result_that_does_not_fit_its_event_is_a_failure_that_says_so(make_job: Callable[..., Job]) -> None:
    event = fitted(result_ready(make_job(), columns=("x" * MAX_EVENT_BYTES,)), MAX_EVENT_BYTES)

    assert isinstance(event, RunFailed)
    assert event.error.type == "EventTooLarge"
    assert "the column names 1044480" in event.error.message
    assert body_bytes(event) < 10_000


def test_a_failure_of_a_job_that_fills_its_request_fits_its_event(make_job: Callable[..., Job]) -> None:
    job = make_job(consumer_emails=["a@example.com"]).model_copy(update={"processing_script": "#" * 1_040_000})
    error = RunError(stage="script", type="T", message="\x01" * 16_384, traceback="\x01" * 16_384)
    result = result_ready(job, ())
    failure = RunFailed(
        job_name=job.job_name,
        run_id=result.run_id,
        job=job,
        trigger="manual",
        scheduled_at=result.scheduled_at,
        error=error,
        log="\x01" * 131_072,
        timings=result.timings,
    )

    event = fitted(failure, MAX_EVENT_BYTES)

    assert isinstance(event, RunFailed)
    assert body_bytes(event) <= MAX_EVENT_BYTES
    assert event.error.message == "\x01" * SHORTENED_CHARS
    assert event.job.consumer_emails == ("a@example.com",)


#: By the settings of the runner that executes the scripts: what they say, and why that fails.
TOO_MUCH: list[tuple[dict[str, str], dict[str, str]]] = [
    (
        {},
        {
            "say(rows=2**64, columns=['a'])": "rows",
            "say(rows=1, columns=['x' * 1_048_000])": "the column names take",
            "os.ftruncate(5, 1 << 20)\nsay(rows=1, columns=['a'])": "the CSV ends within a record",
            "os.ftruncate(5, 1 << 30)\nsay(rows=1, columns=['a'])": "File too large",
        },
    ),
    (
        {"max_rows": "1000", "max_result_bytes": "900000"},
        {
            "return pd.DataFrame([range(32_000)])": "32000 columns; at most 16384 are allowed (NIGHTMAIL_MAX_COLUMNS)",
            "return pd.DataFrame({'a': range(1001)})": "1001 rows; at most 1000 are allowed (NIGHTMAIL_MAX_ROWS)",
            "return pd.DataFrame({'a': ['x' * 1000] * 999})": "larger than NIGHTMAIL_MAX_RESULT_BYTES",
        },
    ),
]


@pytest.mark.parametrize(("settings", "scripts"), TOO_MUCH, ids=["answers", "results"])
async def test_a_run_that_says_too_much_fails_with_the_reason_and_the_next_run_goes_on(
    start_runner: StartRunner,
    request_run: Request,
    event_log: EventLog,
    settings: dict[str, str],
    scripts: dict[str, str],
) -> None:
    await start_runner(**settings).ready()
    for script, problem in scripts.items():
        hostile = await request_run(processing_script=WORST_SCRIPT[:120_000] + "\n" + ANSWER + script)

        outcome = await outcome_of(event_log, hostile)

        assert isinstance(outcome, RunFailed), outcome
        assert problem in outcome.error.message, script
        assert body_bytes(outcome) <= MAX_EVENT_BYTES
        assert isinstance(await outcome_of(event_log, await request_run()), ResultReady)


async def test_a_run_that_the_setting_ends_names_it_and_the_jobs_own_limit_does_not(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    await start_runner(script_timeout="2").ready()
    setting = "the most that the runner's setting NIGHTMAIL_SCRIPT_TIMEOUT allows"
    for seconds, why in ((60, setting), (None, setting), (1, "the job's timeout_seconds can allow up to 2 s")):
        run = await request_run(processing_script="while True: pass", timeout_seconds=seconds)
        outcome = await outcome_of(event_log, run)
        assert isinstance(outcome, RunFailed), outcome
        assert outcome.error.type == "Timeout"
        assert why in outcome.error.message
