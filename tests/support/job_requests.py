"""A valid job as a user posts it."""

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
