"""A job as the log keeps it: readable by programs that are older or newer than the one that wrote it."""

from collections.abc import Callable

from nightmail_common.contract.job import Job

MakeJob = Callable[..., Job]


def test_a_job_survives_a_round_trip_through_the_log(make_job: MakeJob) -> None:
    job = make_job(consumer_emails=["a@example.com", "b@example.com"], subject="{{ rows }} rows", retries=2)
    assert Job.model_validate_json(job.model_dump_json(exclude_none=True)) == job


def test_a_field_of_a_newer_version_is_ignored(make_job: MakeJob) -> None:
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


def test_a_stored_job_that_the_api_would_refuse_today_is_readable(make_job: MakeJob) -> None:
    written = make_job().model_dump(mode="json") | {"schedule_time": "never", "timezone": "Mars", "consumer_emails": []}
    written["data_source"]["location"] = "/etc/passwd"
    assert Job.model_validate(written).schedule_time == "never"
