"""Makes the event of an outcome fit the broker's `max_payload`: a request always ends in an event (`docs/limits.md`)."""

from nightmail_common.contract.envelope import event_body
from nightmail_common.contract.events import ResultReady, RunError, RunFailed, RunOutcome, RunSkipped
from nightmail_common.contract.job import DataSource, Job

#: The length of a text that was too long for its event, and the number of recipients of such a job.
SHORTENED_CHARS = 500
SHORTENED_RECIPIENTS = 100


def body_bytes(outcome: RunOutcome | RunSkipped) -> int:
    """Return the size of an event's body."""
    return len(event_body(outcome))


def fitted(outcome: RunOutcome | RunSkipped, limit_bytes: int) -> RunOutcome | RunSkipped:
    """Return an outcome whose body fits the limit.

    Its log is shortened first. A result that still does not fit becomes a `RunFailed` that says so; of a failure the notes,
    the traceback and the message are shortened, and then the texts of its job.
    """
    outcome = _with_shorter_log(outcome, limit_bytes)
    size = body_bytes(outcome)
    if size <= limit_bytes or isinstance(outcome, RunSkipped):
        return outcome
    if isinstance(outcome, ResultReady):
        outcome = _too_large(outcome, size, limit_bytes)
    error = outcome.error
    short = error.model_copy(update={"message": error.message[:SHORTENED_CHARS], "traceback": None})
    outcome = outcome.model_copy(update={"error": short, "notes": ()})
    if body_bytes(outcome) <= limit_bytes:
        return outcome
    return outcome.model_copy(update={"job": _shortened(outcome.job)})


def _with_shorter_log(outcome: RunOutcome | RunSkipped, limit_bytes: int) -> RunOutcome | RunSkipped:
    printed = outcome.log
    kept = len(printed)
    while kept and body_bytes(outcome) > limit_bytes:
        kept //= 2
        shortened = f"{printed[: kept // 2]}\n[... shortened ...]\n{printed[len(printed) - kept // 2 :]}"
        outcome = outcome.model_copy(update={"log": shortened if kept else ""})
    return outcome


def _too_large(result: ResultReady, size: int, limit_bytes: int) -> RunFailed:
    message = (
        f"the event of the result has {size} bytes, of which the script takes"
        f" {len(result.job.processing_script.encode())} and the column names {sum(map(len, result.columns))} before"
        f" JSON escapes them; the broker accepts {limit_bytes}"
    )
    return RunFailed(
        **result.of_run,
        error=RunError(stage="output", type="EventTooLarge", message=message),
        log="",
        timings=result.timings,
    )


def _shortened(job: Job) -> Job:
    """Return a job whose long texts and lists are cut, which is too large for `JobDefinition` and came by another way."""
    texts = {name: value[:SHORTENED_CHARS] for name, value in vars(job).items() if isinstance(value, str)}
    source = job.data_source
    return job.model_copy(
        update=texts
        | {
            "job_name": job.job_name,
            "consumer_emails": job.consumer_emails[:SHORTENED_RECIPIENTS],
            "cc": job.cc[:SHORTENED_RECIPIENTS],
            "bcc": job.bcc[:SHORTENED_RECIPIENTS],
            "recipients_by": None,
            "failure_emails": job.failure_emails[:SHORTENED_RECIPIENTS],
            "more_sources": {},
            "data_source": DataSource(
                source_type=source.source_type, location=source.location[:SHORTENED_CHARS], file_type=source.file_type
            ),
        }
    )
