"""A job as the log stores it.

These models read events of any version: they ignore unknown fields and do not repeat validation. `job_definition`
decides what a user may write.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from nightmail_common.contract.business_calendar import OnHoliday
from nightmail_common.contract.http_source import Auth, Body, Method, Parameter
from nightmail_common.contract.pagination import Pagination
from nightmail_common.contract.source_types import MAIN_SOURCE, ColumnType, FileType, SourceType
from nightmail_common.contract.sql_source import Parameters

OnMissed = Literal["run_once", "skip"]
Overlap = Literal["allow", "skip"]
#: Whether text that a spreadsheet would run as a formula gets a leading quote in the CSV.
CsvFormulas = Literal["neutralise", "keep"]
WhenEmpty = Literal["send", "skip"]
WhenUnchanged = Literal["send", "skip"]
#: The files of a result that its mail carries.
AttachmentFormat = Literal["csv", "xlsx"]

#: A run that is a day late is still useful; restoring an old backup must not fire a year of reports.
DEFAULT_MAX_LATENESS_SECONDS = 86_400
#: Enough to find the run whose input was wrong for the first time.
DEFAULT_KEEP_INPUTS = 10


class DataSource(BaseModel, frozen=True):
    """The location and format of a job's data."""

    source_type: SourceType
    location: str
    #: None for a source of the type sql: a database has types of its own.
    file_type: FileType | None = None
    #: For a source of the type sql. The database binds the parameters.
    query: str | None = None
    parameters: Parameters | None = None
    headers: dict[str, str] | None = None
    method: Method = "GET"
    #: Added to the URL's query.
    params: dict[str, Parameter] | None = None
    body: Body | None = None
    auth: Auth | None = None
    #: The longest silence of an API, or the time of a query, in seconds; without it FETCH_TIMEOUT.
    timeout_seconds: float | None = None
    records_path: str | None = None
    #: The delimiter of a CSV; None: detected.
    delimiter: str | None = None
    #: The encoding of text; it overrides the byte order mark and the charset of the HTTP response.
    encoding: str | None = None
    #: How numbers are written in a CSV.
    decimal: str = "."
    thousands: str | None = None
    #: Lines (rows of a workbook) above the header.
    skip_rows: int = 0
    #: Lines of a CSV that begin with it are comments.
    comment: str | None = None
    #: The sheet of a workbook; None: the first one.
    sheet: str | None = None
    #: Texts that stand for a missing value, besides the empty one.
    na_values: tuple[str, ...] = ()
    types: dict[str, ColumnType] | None = None
    #: How to request the further pages of an API; None: one response has all data.
    pagination: Pagination | None = None


class CsvOptions(BaseModel, frozen=True):
    """How a result's CSV is written."""

    delimiter: str = ","
    decimal: str = "."
    #: Excel reads a file that begins with a byte order mark as UTF-8.
    bom: bool = False
    #: The printf-style format of floats, such as `%.2f`; None: all digits are written.
    float_format: str | None = None


class Calendar(BaseModel, frozen=True):
    """The days on which a job does not run: the public holidays of a country, and `days`.

    `country` is an ISO 3166-1 alpha-2 code, `subdivision` an ISO 3166-2 code without the country.
    """

    country: str | None = None
    subdivision: str | None = None
    days: tuple[date, ...] = ()
    on_holiday: OnHoliday = "skip"


class JobFields(BaseModel, frozen=True):
    """The fields of a job that its owner sets."""

    job_name: str
    #: More schedules; the job is due when one of all its schedules is.
    schedules: tuple[str, ...] = ()
    #: None if all schedules are in `schedules`.
    schedule_time: str | None = None
    timezone: str
    calendar: Calendar | None = None
    data_source: DataSource
    #: Further sources by name; the script gets all as `sources[name]`, and the first also as `data`.
    more_sources: Mapping[str, DataSource] = {}
    processing_script: str
    consumer_emails: tuple[str, ...]
    description: str = ""
    timeout_seconds: int | None = None
    on_missed: OnMissed = "run_once"
    max_lateness_seconds: int = DEFAULT_MAX_LATENESS_SECONDS
    overlap: Overlap = "allow"
    retries: int = 0
    subject: str | None = None
    notify_on_failure: bool = True
    csv_formulas: CsvFormulas = "neutralise"
    when_empty: WhenEmpty = "send"
    #: Whether a result like the last delivered one ends the run as skipped.
    when_unchanged: WhenUnchanged = "send"
    #: The columns that identify a row, by which a result is compared with the last delivered one.
    compare_by: tuple[str, ...] = ()
    attachments: tuple[AttachmentFormat, ...] = ("csv",)
    csv: CsvOptions = CsvOptions()
    #: The inputs of this many last runs are kept.
    keep_inputs: int = DEFAULT_KEEP_INPUTS
    #: Markdown with the variables of the subject, above the table.
    message: str = ""
    sender_name: str | None = None
    reply_to: str | None = None
    #: They get the result too. Every recipient sees the addresses of `cc`, and no other.
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    #: They get the mails about failures; if none, the consumers do.
    failure_emails: tuple[str, ...] = ()
    #: The column that splits a result into slices, one for each of its values; the consumers get none of them.
    split_by: str | None = None
    #: The recipients of each slice by its value, or the column that has their addresses.
    recipients_by: dict[str, tuple[str, ...]] | str | None = None

    @property
    def sources(self) -> dict[str, DataSource]:
        """All sources by name, the first one first."""
        return {MAIN_SOURCE: self.data_source, **self.more_sources}

    @property
    def result_recipients(self) -> tuple[str, ...]:
        """All who get a result, or a slice of it, as far as the job names them, each once."""
        if isinstance(self.recipients_by, dict):
            return tuple(dict.fromkeys(address for of_slice in self.recipients_by.values() for address in of_slice))
        if self.split_by is not None:
            return ()
        return tuple(dict.fromkeys((*self.consumer_emails, *self.cc, *self.bcc)))

    @property
    def failure_recipients(self) -> tuple[str, ...]:
        """All who get the mails about failures and recoveries."""
        return self.failure_emails or self.consumer_emails

    @property
    def all_recipients(self) -> tuple[str, ...]:
        """All who get any mail of the job, each once."""
        return tuple(dict.fromkeys((*self.result_recipients, *self.failure_recipients)))


class Job(JobFields):
    """A job as the log stores it: the owner's fields, its id and its version.

    `job_id` is assigned at creation and kept through edits; the ids of its runs derive from it. `version` counts from 1.
    """

    job_id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
