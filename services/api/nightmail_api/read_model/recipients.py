"""Who got mails of a job, as the delivery ledger has it."""

from sqlalchemy import select

from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import mails


def mail_recipients(queries: Queries, job_name: str) -> list[str]:
    """Return the recipients of the mails of all jobs that had this name, each once."""
    rows = queries.all_rows(select(mails.c.recipient).where(mails.c.job_name == job_name).distinct())
    return [row["recipient"] for row in rows]
