"""Which jobs may read a stored file."""

from pydantic_core import to_json
from sqlalchemy import or_, select

from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import jobs
from nightmail_common.contract.job import Job
from nightmail_common.contract.source_templates import may_become


def jobs_reading(queries: Queries, path: str) -> list[str]:
    """Return the names of the jobs that may read a stored file, by name."""
    definition = jobs.c.definition
    # A path with a time in it is compared below.
    named = definition.contains(f'"location":{to_json(path).decode()}', autoescape=True)
    reads_files = definition.contains('"source_type":"file"', autoescape=True)
    rows = queries.all_rows(
        select(jobs.c.job_name, definition)
        .where(jobs.c.status != "deleted", reads_files, or_(named, definition.contains("{{", autoescape=True)))
        .order_by(jobs.c.job_name)
    )
    found = ((row["job_name"], Job.model_validate_json(row["definition"])) for row in rows)
    return [
        name
        for name, job in found
        if any(one.source_type == "file" and may_become(one.location, path) for one in job.sources.values())
    ]
