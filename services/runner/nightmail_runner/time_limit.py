"""The time that a script has: the job's `timeout_seconds`, and at most the setting `SCRIPT_TIMEOUT`."""

from dataclasses import replace
from typing import TypeVar

from nightmail_runner.sandbox.result import Failed

ResultT = TypeVar("ResultT")


def time_limit(job_seconds: int | None, setting_seconds: int) -> int:
    """Return the seconds that the script of a job has."""
    return setting_seconds if job_seconds is None else min(job_seconds, setting_seconds)


def name_setting(result: ResultT, job_seconds: int | None, setting_seconds: int) -> ResultT:
    """Return a result; a timeout whose limit is the setting's says so."""
    if not isinstance(result, Failed) or result.kind != "timeout":
        return result
    if job_seconds is not None and job_seconds <= setting_seconds:
        return result
    why = f"the limit is the runner's setting NIGHTMAIL_SCRIPT_TIMEOUT={setting_seconds}"
    if job_seconds is not None:
        why += f", which is less than the job's timeout_seconds, {job_seconds}"
    return replace(result, message=f"{result.message}; {why}")
