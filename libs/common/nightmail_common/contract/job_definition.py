"""A job as a user writes it, and its validation.

Stricter than `job`: unknown fields are refused and every value is checked, so that every job in the log can run.
"""

import unicodedata
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import uuid4

import email_validator
from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from nightmail_common.contract.job import DEFAULT_KEEP_INPUTS, DEFAULT_MAX_LATENESS_SECONDS, Job, JobFields, Overlap
from nightmail_common.contract.limits import (
    MAX_EMAIL_CHARS,
    MAX_JOB_JSON_BYTES,
    MAX_KEEP_INPUTS,
    MAX_MESSAGE_TEMPLATE_CHARS,
    MAX_MORE_SOURCES,
    MAX_RECIPIENTS,
    MAX_SCRIPT_BYTES,
    MAX_SLICES,
    MAX_SOURCE_NAME_CHARS,
)
from nightmail_common.contract.lookalikes import find_lookalike
from nightmail_common.contract.result_files import Attachments, CompareBy, CsvOptionsDefinition
from nightmail_common.contract.script import ScriptSyntaxError, compile_script, is_blank, is_quick_to_compile
from nightmail_common.contract.source_definition import DataSourceDefinition
from nightmail_common.contract.source_types import MAIN_SOURCE
from nightmail_common.contract.split_definition import (
    RECIPIENTS_FORM,
    SliceValue,
    SplitColumn,
    check_recipients_by,
    check_split_by,
)
from nightmail_common.contract.text import is_one_line
from nightmail_common.contract.timetable_definition import (
    CalendarDefinition,
    Schedules,
    ScheduleTime,
    Timezone,
    require_schedule,
)

MAX_JOB_NAME_CHARACTERS = 128

#: Control and surrogate characters, line and paragraph separators: nobody types them, and they can mislead.
_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})

#: Allows internal addresses such as `root@localhost` and `ops@mail.local`.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def normalise_job_name(name: str) -> str:
    """Return the canonical form of a job's name (Unicode NFC).

    Raises:
        ValueError: the name is invalid: empty, longer than 128 characters, with a control character or `/`, with space
            at an end, `.` or `..`, which no URL path can hold, or with letters that make it look like another name.
    """
    # Normalisation takes a time that grows with the square of a run of combining marks; NFC is at most 4 times shorter.
    if len(name) <= 4 * MAX_JOB_NAME_CHARACTERS:
        name = unicodedata.normalize("NFC", name)
    if not 1 <= len(name) <= MAX_JOB_NAME_CHARACTERS:
        raise ValueError(f"a name has 1 to {MAX_JOB_NAME_CHARACTERS} characters, this one has {len(name)}")
    if "/" in name or any(unicodedata.category(char) in _UNPRINTABLE_CATEGORIES for char in name):
        raise ValueError("a name has no '/' and no control characters")
    if name != name.strip():
        raise ValueError("a name does not begin or end with a space")
    if name in {".", ".."}:
        raise ValueError("'.' and '..' cannot be part of a URL path")
    if (reason := find_lookalike(name)) is not None:
        raise ValueError(reason)
    return name


def normalise_email(address: str) -> str:
    """Return an address with its domain in lower case.

    Internal domains (`ops@mail.corp`, `root@localhost`) are valid; the mail server decides whether they exist.

    Raises:
        ValueError: the text is not an e-mail address.
    """
    if len(address) > MAX_EMAIL_CHARS:
        raise ValueError(f"an e-mail address has at most {MAX_EMAIL_CHARS} characters, this one has {len(address)}")
    try:
        return email_validator.validate_email(
            address, check_deliverability=False, globally_deliverable=False, allow_empty_local=False
        ).normalized
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"{address!r} is not an e-mail address: {error}") from None


def _check_emails(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(normalise_email(address) for address in addresses))


def _check_subject(text: str | None) -> str | None:
    if text is None:
        return None
    if not is_one_line(text):
        raise ValueError("a subject is one line without control characters")
    from nightmail_common.contract.subject_template import parse_subject  # few jobs have a subject

    parse_subject(text)
    return text


def _check_message(text: str) -> str:
    from nightmail_common.contract.subject_template import parse_message  # few jobs have a message

    parse_message(text)
    return text


def _check_sender_name(name: str | None) -> str | None:
    if name is not None and not (is_one_line(name) and name.strip()):
        raise ValueError("a sender's name is one line without control characters, and not blank")
    return name


def _check_in_header(address: str) -> str:
    if not address.rpartition("@")[0].isascii():
        raise ValueError(f"{address!r} is in a header that everybody gets: before the @ it has ASCII characters only")
    return address


def _check_source_name(name: str) -> str:
    if not 1 <= len(name) <= MAX_SOURCE_NAME_CHARS or not is_one_line(name) or name != name.strip():
        raise ValueError(
            f"a source's name is one line of 1 to {MAX_SOURCE_NAME_CHARS} characters, without space at an end"
        )
    if name == MAIN_SOURCE:
        raise ValueError(f"{MAIN_SOURCE!r} is the name of data_source; another source has another name")
    return name


JobName = Annotated[str, AfterValidator(normalise_job_name)]
SourceName = Annotated[str, AfterValidator(_check_source_name)]
FurtherRecipients = Annotated[tuple[str, ...], Field(max_length=MAX_RECIPIENTS), AfterValidator(_check_emails)]
Recipients = Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_RECIPIENTS), AfterValidator(_check_emails)]
_RecipientsByValue = Annotated[dict[SliceValue, Recipients], Field(min_length=1, max_length=MAX_SLICES), Tag("values")]
SliceRecipients = Annotated[_RecipientsByValue | Annotated[SplitColumn, Tag("column")], RECIPIENTS_FORM]


class JobDefinition(JobFields, extra="forbid", frozen=True):
    """A job as a user writes it.

    Raises:
        pydantic.ValidationError: one error per invalid field.
    """

    job_name: JobName
    schedules: Schedules = ()
    schedule_time: Annotated[ScheduleTime | None, AfterValidator(require_schedule)] = Field(
        default=None, validate_default=True
    )
    timezone: Timezone = "UTC"
    calendar: CalendarDefinition | None = None
    data_source: DataSourceDefinition
    more_sources: dict[SourceName, DataSourceDefinition] = Field(default={}, max_length=MAX_MORE_SOURCES)
    processing_script: str = Field(min_length=1)
    consumer_emails: Recipients
    description: str = Field(default="", max_length=4096)
    timeout_seconds: int | None = Field(default=None, ge=1, le=86_400)
    max_lateness_seconds: int = Field(default=DEFAULT_MAX_LATENESS_SECONDS, ge=0, le=366 * 86_400)
    #: Jobs in the log without it were written when `allow` was the default.
    overlap: Overlap = "skip"
    retries: int = Field(default=0, ge=0, le=10)
    keep_inputs: int = Field(default=DEFAULT_KEEP_INPUTS, ge=0, le=MAX_KEEP_INPUTS)
    notify_on_failure: StrictBool = True
    attachments: Attachments = ("csv",)
    compare_by: CompareBy = ()
    csv: CsvOptionsDefinition = CsvOptionsDefinition()
    subject: Annotated[str | None, Field(min_length=1, max_length=512), AfterValidator(_check_subject)] = None
    message: Annotated[str, Field(max_length=MAX_MESSAGE_TEMPLATE_CHARS), AfterValidator(_check_message)] = ""
    sender_name: Annotated[str | None, Field(min_length=1, max_length=64), AfterValidator(_check_sender_name)] = None
    reply_to: Annotated[str, AfterValidator(normalise_email), AfterValidator(_check_in_header)] | None = None
    cc: FurtherRecipients = ()
    bcc: FurtherRecipients = ()
    failure_emails: FurtherRecipients = ()
    split_by: Annotated[SplitColumn | None, AfterValidator(check_split_by)] = None
    recipients_by: Annotated[SliceRecipients | None, AfterValidator(check_recipients_by)] = Field(
        default=None, validate_default=True
    )

    @field_validator("cc")
    @classmethod
    def _cc_fits_a_header(cls, cc: tuple[str, ...]) -> tuple[str, ...]:
        for address in cc:
            _check_in_header(address)
        return cc

    @field_validator("cc", "bcc")
    @classmethod
    def _recipients_are_few(cls, addresses: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        others = {*info.data.get("consumer_emails", ()), *info.data.get("cc", ())}
        if len(others | set(addresses)) > MAX_RECIPIENTS:
            raise ValueError(f"consumer_emails, cc and bcc have at most {MAX_RECIPIENTS} addresses together")
        return addresses

    @field_validator("timeout_seconds", "max_lateness_seconds", "retries", "keep_inputs", mode="before")
    @classmethod
    def _is_a_number(cls, value: Any) -> Any:
        if isinstance(value, str | bool):
            raise ValueError(f"a whole number, not {value!r}"[:100])
        return value

    @field_validator("processing_script")
    @classmethod
    def _script_is_python(cls, script: str) -> str:
        if len(script.encode()) > MAX_SCRIPT_BYTES:
            raise ValueError(f"a script has at most {MAX_SCRIPT_BYTES} bytes")
        if is_blank(script):
            raise ValueError("the script is blank; it ends with `return` and a DataFrame, for instance `return data`")
        if not is_quick_to_compile(script):
            return script  # the API compiles it in a process of its own (`script_reader`)
        try:
            compile_script(script)
        except ScriptSyntaxError as error:
            where = f"line {error.line}: " if error.line is not None else ""
            raise ValueError(f"{where}{error}") from None
        return script

    @model_validator(mode="after")
    def _fits_its_events(self) -> Self:
        size = len(self.model_dump_json(exclude_none=True))
        if size > MAX_JOB_JSON_BYTES:
            raise ValueError(
                f"the job takes {size} bytes as JSON, its processing_script most of them;"
                f" at most {MAX_JOB_JSON_BYTES} are allowed"
            )
        return self

    def with_timezone_default(self, timezone: str) -> "JobDefinition":
        """Return the job in that zone if its owner named none."""
        return self if "timezone" in self.model_fields_set else self.model_copy(update={"timezone": timezone})

    def new_job(self, now: datetime) -> Job:
        """Return the first version of the job, with a new id."""
        return Job(**self.model_dump(), job_id=uuid4(), version=1, created_at=now, updated_at=now)
