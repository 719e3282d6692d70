"""The files of a result as a user asks for them: which ones a mail carries, and how the CSV is written."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, ValidationInfo, field_validator

from nightmail_common.contract.job import AttachmentFormat, CsvOptions


def _unique(formats: tuple[AttachmentFormat, ...]) -> tuple[AttachmentFormat, ...]:
    return tuple(dict.fromkeys(formats))


def _one_as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


_ColumnName = Annotated[str, Field(min_length=1, max_length=256)]
_ColumnNames = Annotated[tuple[_ColumnName, ...], Field(max_length=20)]
#: The names of the columns that identify a row; one name may stand without a list.
CompareBy = Annotated[
    _ColumnNames,
    AfterValidator(lambda names: tuple(dict.fromkeys(names))),
    BeforeValidator(_one_as_list, json_schema_input_type=_ColumnName | _ColumnNames),
]
Attachments = Annotated[tuple[AttachmentFormat, ...], Field(min_length=1), AfterValidator(_unique)]


class CsvOptionsDefinition(CsvOptions, extra="forbid", frozen=True):
    """How a result's CSV is written, as a user writes it."""

    delimiter: Literal[",", ";", "\t", "|"] = ","
    decimal: Literal[".", ","] = "."
    bom: StrictBool = False
    float_format: str | None = Field(default=None, pattern=r"^%\.\d{1,2}[eEfFgG]$")

    @field_validator("decimal")
    @classmethod
    def _marks_differ(cls, decimal: str, info: ValidationInfo) -> str:
        if decimal == info.data.get("delimiter", ","):
            raise ValueError(
                "decimal is another mark than delimiter; with a decimal comma, the delimiter is usually ';'"
            )
        return decimal
