"""The fields of a job's owner in which two versions of it differ."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic_core import from_json

from nightmail_common.contract.job import Job

#: The fields of a job that its owner does not decide.
_GIVEN = {"job_id", "version", "created_at", "updated_at"}


def version_answer(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the API's answer about a version, of a row with its definition and that of the version before."""
    changes = []
    if row["definition_before"] is not None:
        before, after = _fields(row["definition_before"]), _fields(row["definition"])
        changes = [
            {"field": field, "before": before.get(field), "after": value}
            for field, value in after.items()
            if before.get(field) != value and field not in _GIVEN
        ]
    names = ("version", "sequence", "time", "actor", "rolled_back_to")
    return {name: row[name] for name in names} | {"changes": changes}


# In a list, a version is the predecessor of the next one.
@lru_cache(maxsize=4)
def _fields(definition: str) -> dict[str, Any]:
    fields: dict[str, Any] = from_json(definition)
    return fields


def differing_fields(before: Job, after: Job) -> dict[str, tuple[object, object]]:
    """Return the fields of the owner in which two versions differ: field name to (before, after)."""
    old, new = before.model_dump(mode="json", exclude=_GIVEN), after.model_dump(mode="json", exclude=_GIVEN)
    return {field: (old[field], new[field]) for field in new if old[field] != new[field]}
