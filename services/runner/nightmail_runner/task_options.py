"""What a job's fields mean for its task in the sandbox."""

from nightmail_common.contract.job import DataSource, Job
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox.task import Split
from nightmail_runner.sources.input import Input


def split_of(job: Job) -> Split | None:
    """Return how the result of a job is split; None if it is not."""
    column = job.recipients_by if isinstance(job.recipients_by, str) else None
    return None if job.split_by is None else Split(job.split_by, column)


def read_options(source: DataSource, data: Input) -> ReadOptions:
    """Return how the data of a source is parsed."""
    return ReadOptions(
        file_type=source.file_type or "arrow",
        records_path=source.records_path,
        delimiter=source.delimiter,
        encoding=source.encoding,
        decimal=source.decimal,
        thousands=source.thousands,
        skip_rows=source.skip_rows,
        comment=source.comment,
        sheet=source.sheet,
        na_values=source.na_values,
        types=source.types or {},
        charset=data.charset,
        total_records=data.total_records,
        paged=source.pagination is not None and source.file_type == "json",
        max_bytes=data.limit_bytes,
    )
