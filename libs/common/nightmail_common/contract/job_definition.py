"""A job as a user writes it, and its validation.

Stricter than `job`: unknown fields are refused and every value is checked, so that every job in the log can run.
"""

import unicodedata
from typing import Annotated, Any, Literal, Self

import email_validator
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from nightmail_common.contract.http_source import (
    Auth,
    Body,
    Parameter,
    auth_header,
    check_auth,
    check_body,
    check_params,
    check_url,
)
from nightmail_common.contract.job import DEFAULT_MAX_LATENESS_SECONDS, DataSource, JobFields, Overlap
from nightmail_common.contract.limits import MAX_JOB_JSON_BYTES, MAX_MESSAGE_TEMPLATE_CHARS, MAX_SCRIPT_BYTES
from nightmail_common.contract.lookalikes import find_lookalike
from nightmail_common.contract.pagination import Pagination, check_pagination
from nightmail_common.contract.request_headers import check_header
from nightmail_common.contract.result_files import Attachments, CsvOptionsDefinition
from nightmail_common.contract.schedule import check_schedule_time, check_timezone
from nightmail_common.contract.script import ScriptSyntaxError, compile_script, is_blank, is_quick_to_compile
from nightmail_common.contract.source_templates import check_templates, without_times
from nightmail_common.contract.source_types import ColumnType
from nightmail_common.contract.text import is_one_line

MAX_JOB_NAME_CHARACTERS = 128
#: A job goes into every event of its runs; NATS carries 1 MB a message, a result's inline CSV takes up to 350 KB.
MAX_RECIPIENTS = 100
#: All names and values of a request's headers; the usual limit of servers.
MAX_HEADERS_BYTES = 16 * 1024

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
    try:
        return email_validator.validate_email(
            address, check_deliverability=False, globally_deliverable=False, allow_empty_local=False
        ).normalized
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"{address!r} is not an e-mail address: {error}") from None


#: Which options go with which file types.
_TEXT_TABLES, _JSON = ("csv", "tsv"), ("json", "jsonl")
_OPTIONS_OF = {
    "records_path": ("json",),
    "delimiter": ("csv",),
    "encoding": (*_TEXT_TABLES, *_JSON),
    "decimal": _TEXT_TABLES,
    "thousands": _TEXT_TABLES,
    "skip_rows": (*_TEXT_TABLES, "xlsx"),
    "comment": _TEXT_TABLES,
    "sheet": ("xlsx",),
    "na_values": (*_TEXT_TABLES, *_JSON, "xlsx"),
    "types": (*_TEXT_TABLES, *_JSON, "xlsx"),
}


class DataSourceDefinition(DataSource):
    """A data source as a user writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    location: str = Field(min_length=1, max_length=4096)
    headers: dict[str, str] | None = Field(default=None, max_length=50)
    params: dict[str, Parameter] | None = Field(default=None, max_length=100)
    timeout_seconds: float | None = Field(default=None, ge=1, le=600)
    records_path: str | None = Field(default=None, min_length=1, max_length=256)
    delimiter: str | None = Field(default=None, min_length=1, max_length=1, pattern=r"^[^\"\r\n\x00]$")
    encoding: str | None = Field(default=None, min_length=1, max_length=64)
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'", "\u00a0", "\u202f", "_"] | None = None
    skip_rows: int = Field(default=0, ge=0, le=10_000)
    comment: str | None = Field(default=None, pattern=r"^[!-~]$")
    sheet: str | None = Field(default=None, min_length=1, max_length=31)
    na_values: tuple[Annotated[str, Field(max_length=256)], ...] = Field(default=(), max_length=100)
    types: dict[str, ColumnType] | None = Field(default=None, max_length=1000)

    @field_validator("location")
    @classmethod
    def _location_fits_the_source_type(cls, location: str, info: ValidationInfo) -> str:
        match info.data.get("source_type"):
            case "api":
                check_url(location)
            case "file":
                _check_path(location)
        return location

    @field_validator("method", "params", "body", "auth", "timeout_seconds")
    @classmethod
    def _goes_with_an_api(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and value != "GET" and info.data.get("source_type") == "file":
            raise ValueError(f"{info.field_name} goes with source_type 'api' only")
        return value

    @field_validator("params")
    @classmethod
    def _params_can_be_sent(cls, params: dict[str, Parameter] | None) -> dict[str, Parameter] | None:
        check_params(params or {})
        return params

    @field_validator("body")
    @classmethod
    def _body_can_be_sent(cls, body: Body | None, info: ValidationInfo) -> Body | None:
        if body is not None:
            if info.data.get("method") == "GET":
                raise ValueError("body goes with method 'POST' only")
            check_body(body)
        return body

    @field_validator("auth", mode="wrap")
    @classmethod
    def _auth_can_be_sent(
        cls, value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> BaseModel | None:
        auth: Auth | None = _without_unknown_fields(value, validate)
        if auth is not None:
            check_auth(auth)
            header = auth_header(auth)
            if header and header.lower() in {name.lower() for name in info.data.get("headers") or {}}:
                raise ValueError(f"headers and auth both set {header}")
        return auth

    @field_validator("pagination", mode="wrap")
    @classmethod
    def _pages_can_be_joined(
        cls, value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> BaseModel | None:
        pagination: Pagination | None = _without_unknown_fields(value, validate)
        if pagination is not None:
            if info.data.get("source_type") == "file":
                raise ValueError("pagination goes with source_type 'api' only")
            if (file_type := info.data.get("file_type")) is not None:
                check_pagination(pagination, file_type)
            if info.data.get("skip_rows") or info.data.get("comment"):
                raise ValueError("pages are joined without skip_rows and comment only")
        return pagination

    @field_validator("headers")
    @classmethod
    def _headers_can_be_sent(cls, headers: dict[str, str] | None, info: ValidationInfo) -> dict[str, str] | None:
        if headers and info.data.get("source_type") == "file":
            raise ValueError("headers go with source_type 'api' only")
        if sum(len(name) + len(value.encode()) for name, value in (headers or {}).items()) > MAX_HEADERS_BYTES:
            raise ValueError(f"the headers have at most {MAX_HEADERS_BYTES} bytes")
        for name, value in (headers or {}).items():
            check_header(name, value)
            try:
                check_templates(value, secrets=True)
            except ValueError as error:
                raise ValueError(f"the value of {name!r}: {error}") from None
        return headers

    @field_validator(*_OPTIONS_OF)
    @classmethod
    def _option_fits_the_file_type(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None
        file_types = _OPTIONS_OF[info.field_name]
        if value and value != "." and info.data.get("file_type") not in {None, *file_types}:
            raise ValueError(f"{info.field_name} goes with file_type {', '.join(map(repr, file_types))} only")
        return value

    @field_validator("thousands")
    @classmethod
    def _marks_differ(cls, thousands: str | None, info: ValidationInfo) -> str | None:
        if thousands is not None and thousands in {info.data.get("decimal"), info.data.get("delimiter")}:
            raise ValueError("thousands is another mark than decimal and delimiter")
        return thousands

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, encoding: str | None) -> str | None:
        try:
            "".encode(encoding or "utf-8")
        except (LookupError, ValueError):
            raise ValueError(f"{encoding!r} is not the name of a text encoding") from None
        return encoding


def _without_unknown_fields(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Validate a model of the log, which ignores unknown fields; a user's unknown field is an error."""
    model = validate(value)
    if isinstance(value, dict) and (unknown := sorted(value.keys() - type(model).model_fields.keys())):
        raise ValueError(f"type {model.type!r} has no field {unknown[0]!r}"[:200])
    return model


def _check_path(location: str) -> None:
    check_templates(location, times=True)
    plain = without_times(location)
    if plain.startswith("/") or "\\" in plain or not plain.isprintable() or ".." in plain.split("/"):
        raise ValueError("source_type 'file' needs a path below DATA_DIR/files, without '..' or a leading '/'")


def _check_emails(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(normalise_email(address) for address in addresses))


def _check_subject(text: str | None) -> str | None:
    if text is None:
        return None
    if not is_one_line(text):
        raise ValueError("a subject is one line without control characters")
    from nightmail_common.contract.subject_template import SubjectNotValid, parse_subject  # few jobs have a subject

    try:
        parse_subject(text)
    except SubjectNotValid as error:
        raise ValueError(str(error)) from None
    return text


def _check_message(text: str) -> str:
    from nightmail_common.contract.subject_template import SubjectNotValid, parse_message  # few jobs have a message

    try:
        parse_message(text)
    except SubjectNotValid as error:
        raise ValueError(str(error)) from None
    return text


def _check_sender_name(name: str | None) -> str | None:
    if name is not None and not (is_one_line(name) and name.strip()):
        raise ValueError("a sender's name is one line without control characters, and not blank")
    return name


def _check_reply_to(address: str | None) -> str | None:
    return None if address is None else _check_in_header(normalise_email(address))


def _check_in_header(address: str) -> str:
    if not address.rpartition("@")[0].isascii():
        raise ValueError(f"{address!r} is in a header that everybody gets: before the @ it has ASCII characters only")
    return address


ScheduleTime = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(check_schedule_time)]
JobName = Annotated[str, AfterValidator(normalise_job_name)]
FurtherRecipients = Annotated[tuple[str, ...], Field(max_length=MAX_RECIPIENTS), AfterValidator(_check_emails)]
Recipients = Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_RECIPIENTS), AfterValidator(_check_emails)]


class JobDefinition(JobFields):
    """A job as a user writes it.

    Raises:
        pydantic.ValidationError: one error per invalid field.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    job_name: JobName
    schedule_time: ScheduleTime
    timezone: Annotated[str, AfterValidator(check_timezone)] = "UTC"
    data_source: DataSourceDefinition
    processing_script: str = Field(min_length=1)
    consumer_emails: Recipients
    description: str = Field(default="", max_length=4096)
    timeout_seconds: int | None = Field(default=None, ge=1, le=86_400)
    max_lateness_seconds: int = Field(default=DEFAULT_MAX_LATENESS_SECONDS, ge=0, le=366 * 86_400)
    #: Jobs in the log without it were written when `allow` was the default.
    overlap: Overlap = "skip"
    retries: int = Field(default=0, ge=0, le=10)
    notify_on_failure: StrictBool = True
    attachments: Attachments = ("csv",)
    csv: CsvOptionsDefinition = CsvOptionsDefinition()
    subject: Annotated[str | None, Field(min_length=1, max_length=512), AfterValidator(_check_subject)] = None
    message: Annotated[str, Field(max_length=MAX_MESSAGE_TEMPLATE_CHARS), AfterValidator(_check_message)] = ""
    sender_name: Annotated[str | None, Field(min_length=1, max_length=64), AfterValidator(_check_sender_name)] = None
    reply_to: Annotated[str | None, AfterValidator(_check_reply_to)] = None
    cc: FurtherRecipients = ()
    bcc: FurtherRecipients = ()
    failure_emails: FurtherRecipients = ()

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

    @field_validator("timeout_seconds", "max_lateness_seconds", "retries", mode="before")
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
            return script  # the API compiles it in a process of its own (`nightmail_api.commands.script_check`)
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

    def fields(self) -> dict[str, Any]:
        """Return the values by field name, as `Job` takes them."""
        return self.model_dump()
