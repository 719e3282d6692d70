"""A job as the log keeps it: readable by programs that are older or newer than the one that wrote it."""

from collections.abc import Callable

from nightmail_common.contract.job import Job

MakeJob = Callable[..., Job]


def test_a_job_comes_back_from_the_log_as_it_was(make_job: MakeJob) -> None:
    job = make_job(consumer_emails=["a@example.com", "b@example.com"], subject="{{ rows }} rows", retries=2)
    assert Job.model_validate_json(job.model_dump_json(exclude_none=True)) == job


def test_a_field_of_a_newer_version_is_passed_over(make_job: MakeJob) -> None:
    job = make_job()
    written = job.model_dump(mode="json")
    written["colour"] = written["data_source"]["colour"] = "green"
    assert Job.model_validate(written) == job


def test_a_field_that_an_older_version_did_not_write_has_its_default(make_job: MakeJob) -> None:
    job = make_job()
    written = job.model_dump(mode="json")
    for newer in ("csv_formulas", "when_empty", "max_lateness_seconds", "subject"):
        del written[newer]
    assert Job.model_validate(written) == job


def test_what_is_in_the_log_can_be_read_although_nobody_could_write_it_now(make_job: MakeJob) -> None:
    written = make_job().model_dump(mode="json") | {"schedule_time": "never", "timezone": "Mars", "consumer_emails": []}
    written["data_source"]["location"] = "/etc/passwd"
    assert Job.model_validate(written).schedule_time == "never"
