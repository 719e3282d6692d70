"""A valid job as a user posts it."""

from datetime import UTC, datetime, timedelta
from typing import Any


def job_request(**fields: Any) -> dict[str, Any]:
    """Return a job as a user posts it; `fields` replace or add."""
    return {
        "job_name": "daily sales",
        "schedule_time": "0 9 * * 1-5",
        "timezone": "Europe/Paris",
        "data_source": {"source_type": "file", "location": "sales.csv", "file_type": "csv"},
        "processing_script": "return data.groupby('region', as_index=False).amount.sum()",
        "consumer_emails": ["reports@example.com"],
    } | fields


def due_in_half_a_year() -> datetime:
    """Return 09:00 of the first day of a month, about half a year ahead: on no day of the year is it due while a test runs."""
    half_a_year_on = datetime.now(UTC) + timedelta(days=180)
    return half_a_year_on.replace(day=1, hour=9, minute=0, second=0, microsecond=0)


def schedule_in_half_a_year() -> str:
    """Return a yearly schedule that is next due at `due_in_half_a_year`, in whatever zone."""
    return f"0 9 1 {due_in_half_a_year().month} *"
