"""A data source as a user writes it, and its validation."""

import codecs
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, ValidatorFunctionWrapHandler, field_validator
from pydantic_core import PydanticCustomError

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
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.pagination import Pagination, check_first_page, check_pagination
from nightmail_common.contract.request_headers import check_header
from nightmail_common.contract.source_templates import check_templates, without_times
from nightmail_common.contract.source_types import ColumnType, FileType
from nightmail_common.contract.sql_source import Parameters, check_parameters, check_query, connection_name
from nightmail_common.contract.stored_path import check_stored_path

#: All names and values of a request's headers; the usual limit of servers.
MAX_HEADERS_BYTES = 16 * 1024

#: Which options go with which file types.
_TEXT_TABLES, _JSON = ("csv", "tsv"), ("json", "jsonl")
#: Python's names for what is an encoding of escapes or of names of hosts.
_NO_CHARACTERS = frozenset({"unicode-escape", "raw-unicode-escape", "idna", "punycode"})
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


class DataSourceDefinition(DataSource, extra="forbid", frozen=True):
    """A data source as a user writes it."""

    location: str = Field(min_length=1, max_length=4096)
    file_type: FileType | None = Field(default=None, validate_default=True)
    query: str | None = Field(default=None, validate_default=True)
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
            case "sql":
                connection_name(location)
        return location

    @field_validator("file_type")
    @classmethod
    def _only_bytes_have_a_file_type(cls, file_type: FileType | None, info: ValidationInfo) -> FileType | None:
        match info.data.get("source_type"):
            case "api" | "file" if file_type is None:
                raise PydanticCustomError("missing", "Field required")
            case "sql" if file_type is not None:
                raise ValueError("source_type 'sql' has no file_type: a database has types of its own")
        return file_type

    @field_validator("query")
    @classmethod
    def _query_goes_with_sql(cls, query: str | None, info: ValidationInfo) -> str | None:
        match info.data.get("source_type"):
            case "sql" if query is None:
                raise PydanticCustomError("missing", "Field required")
            case "api" | "file" if query is not None:
                raise ValueError("query goes with source_type 'sql' only")
        if query is not None:
            check_query(query)
        return query

    @field_validator("parameters")
    @classmethod
    def _parameters_can_be_bound(cls, parameters: Parameters | None, info: ValidationInfo) -> Parameters | None:
        if parameters is not None:
            if info.data.get("source_type") in {"api", "file"}:
                raise ValueError("parameters go with source_type 'sql' only; those of an API are params")
            check_parameters(parameters)
        return parameters

    @field_validator("headers", "method", "params", "body", "auth", "pagination")
    @classmethod
    def _goes_with_an_api(cls, value: Any, info: ValidationInfo) -> Any:
        if value and value != "GET" and info.data.get("source_type") in {"file", "sql"}:
            raise ValueError(f"{info.field_name} goes with source_type 'api' only")
        return value

    @field_validator("timeout_seconds")
    @classmethod
    def _goes_with_a_network(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("source_type") == "file":
            raise ValueError("timeout_seconds goes with source_type 'api' and 'sql' only")
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
            if (file_type := info.data.get("file_type")) is not None:
                check_pagination(pagination, file_type)
            check_first_page(
                pagination, info.data.get("location", ""), info.data.get("params") or {}, info.data.get("body")
            )
            if info.data.get("skip_rows") or info.data.get("comment"):
                raise ValueError("pages are joined without skip_rows and comment only")
        return pagination

    @field_validator("headers")
    @classmethod
    def _headers_can_be_sent(cls, headers: dict[str, str] | None) -> dict[str, str] | None:
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
        if value and value != "." and info.data.get("source_type") == "sql":
            raise ValueError(f"{info.field_name} does not go with source_type 'sql': a database has types of its own")
        if value and value != "." and info.data.get("file_type") not in {None, *file_types}:
            raise ValueError(f"{info.field_name} goes with file_type {', '.join(map(repr, file_types))} only")
        return value

    @field_validator("thousands")
    @classmethod
    def _marks_differ(cls, thousands: str | None, info: ValidationInfo) -> str | None:
        if thousands is not None and thousands in {info.data.get("decimal"), info.data.get("delimiter")}:
            way_out = f"; with thousands {thousands!r}, decimal is usually ','" if thousands == "." else ""
            raise ValueError(f"thousands is another mark than decimal and delimiter{way_out}")
        return thousands

    @field_validator("comment")
    @classmethod
    def _comment_is_no_delimiter(cls, comment: str | None, info: ValidationInfo) -> str | None:
        if comment is not None and comment == info.data.get("delimiter"):
            raise ValueError(
                "comment is another mark than delimiter: a record with an empty first field begins with that"
            )
        return comment

    @field_validator("records_path", "sheet")
    @classmethod
    def _has_no_template(cls, text: str | None) -> str | None:
        check_templates(text or "")
        return text

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, encoding: str | None) -> str | None:
        try:
            if codecs.lookup(encoding or "utf-8").name in _NO_CHARACTERS:
                raise LookupError
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
    if location.lower().startswith(("http://", "https://")):
        raise ValueError("source_type 'file' needs a path; a URL goes with source_type 'api'")
    plain = without_times(location)
    if plain.startswith("/") or "\\" in plain or not plain.isprintable() or ".." in plain.split("/"):
        raise ValueError(
            "source_type 'file' needs a path below NIGHTMAIL_DATA_DIR/files, without '..' or a leading '/'"
        )
    check_stored_path(plain)
