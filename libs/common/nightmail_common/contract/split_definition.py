"""How a result is split as a user writes it: by a column, and with the recipients of each of its values."""

from typing import Annotated

from pydantic import Discriminator, Field, StrictStr, ValidationInfo

from nightmail_common.contract.limits import MAX_SLICE_RECIPIENTS, MAX_SLICE_VALUE_CHARS

SplitColumn = Annotated[StrictStr, Field(min_length=1, max_length=256)]
SliceValue = Annotated[StrictStr, Field(min_length=1, max_length=MAX_SLICE_VALUE_CHARS)]

#: The form of `recipients_by`, as errors name it: recipients by `values`, or the name of their `column`.
RECIPIENTS_FORM = Discriminator(lambda given: "column" if isinstance(given, str) else "values")

#: The fields that have no meaning for a job that is split, and why.
_REFUSED = {
    "cc": "they would get the rows of every recipient",
    "bcc": "they would get the rows of every recipient",
    "compare_by": "the changes are those of all rows, not of one recipient's",
}


def check_split_by(column: str | None, info: ValidationInfo) -> str | None:
    """Return the column by which a job's result is split.

    Raises:
        ValueError: another field of the job does not go with it.
    """
    for field, why in _REFUSED.items():
        if column is not None and info.data.get(field):
            raise ValueError(f"split_by does not go with {field}: {why}")
    return column


def check_recipients_by(
    recipients: dict[str, tuple[str, ...]] | str | None, info: ValidationInfo
) -> dict[str, tuple[str, ...]] | str | None:
    """Return the recipients of a job that is split: by value, or the name of their column.

    Raises:
        ValueError: they are missing, too many, or the job is not split.
    """
    if "split_by" in info.data and (recipients is None) != (info.data["split_by"] is None):
        raise ValueError("split_by, a column, and recipients_by, the recipients of its values, need each other")
    if isinstance(recipients, dict) and (count := sum(map(len, recipients.values()))) > MAX_SLICE_RECIPIENTS:
        raise ValueError(f"all values together have at most {MAX_SLICE_RECIPIENTS:,} recipients, not {count:,}")
    return recipients
