"""Pydantic's validation errors in the API's own words, with what the caller may write instead."""

import difflib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from nightmail_api.http.problems import FieldError

#: Where FastAPI found the value: the first part of an error's `loc`.
_PLACES = frozenset({"body", "query", "path", "header", "cookie"})
#: Resemblance below which a name is another name: `cvs` is `csv` (0.67), and `retry` is not `overlap` (0.17).
_CUTOFF = 0.6
#: Each hint compares a name with all others, and a body of 1 MiB may misspell a hundred thousand.
MAX_HINTS = 20
#: The columns of a wide result are neither compared nor listed any further.
MAX_NAMES = 200
#: A longer value is no example that a person reads.
_MAX_EXAMPLE_CHARS = 80

#: Pydantic's type of error -> what is wrong. The names in braces are those of the error's `ctx`.
_DETAILS = {
    "missing": "the field is required",
    "extra_forbidden": "there is no such field",
    "string_type": "must be a text",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "the number is too large",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "none_required": "must be null",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "the object needs the field {discriminator}",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "datetime_type": "must be a time such as 2026-11-23T09:00:00+01:00",
    "datetime_parsing": "must be a time such as 2026-11-23T09:00:00+01:00",
    "datetime_from_date_parsing": "must be a time such as 2026-11-23T09:00:00+01:00",
    "datetime_object_invalid": "must be a time such as 2026-11-23T09:00:00+01:00",
    "timezone_aware": "the time needs its offset from UTC, as in 2026-11-23T09:00:00+01:00",
    "date_type": "must be a date such as 2026-11-23",
    "date_parsing": "must be a date such as 2026-11-23",
    "date_from_datetime_parsing": "must be a date such as 2026-11-23",
    "date_from_datetime_inexact": "must be a date such as 2026-11-23",
}
#: Patterns of fields -> the detail of an error.
_PATTERNS = {
    r"^[!-~]$": "must be one printable ASCII character and no space, such as #",
    r"^[^\"\r\n\x00]$": "must be one character, and no quote or line break",
    r"^%\.\d{1,2}[eEfFgG]$": "must be the format of a number with a point, such as %.2f, or %.0f for whole numbers",
    r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$": (
        "must have 1 to 64 letters, digits, '.', '_', '@' and '-', and begin with a letter or digit"
    ),
}


def field_errors(errors: Sequence[Mapping[str, Any]], body: Any, given: Any) -> list[FieldError]:
    """Return pydantic's errors as errors of fields.

    A misspelt field is one error, though pydantic also misses the field that was meant. A list without a valid item is not
    too short as well.

    Args:
        body: the type of the request's body, from which the names of its fields come; None if it has none.
        given: the body of the request.
    """
    places = [tuple(error["loc"]) for error in errors]
    described = [
        _field_error(error, body, given) if number < MAX_HINTS else _plain_error(error, given)
        for number, error in enumerate(errors)
    ]
    meant = {
        (*place[:-1], one.nearest)
        for error, place, one in zip(errors, places, described, strict=True)
        if error["type"] == "extra_forbidden"
    }
    parents = {place[:depth] for place in places for depth in range(len(place))}
    follows = {"missing": meant, "too_short": parents}
    return [
        one
        for error, place, one in zip(errors, places, described, strict=True)
        if place not in follows.get(error["type"], ())
    ]


def unknown_name(field: str, detail: str, name: str, allowed: Iterable[str]) -> FieldError:
    """Return the error of a name that does not exist; its detail asks for the nearest one that does."""
    names = list(itertools.islice(allowed, MAX_NAMES))
    nearest = nearest_name(name, names)
    if nearest is not None:
        detail = f"{detail}; did you mean {nearest}?"
    return FieldError(field=field, detail=detail, allowed=names or None, nearest=nearest)


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return the name that resembles another one most, in any case of letters; None if none does."""
    folded = {one.casefold(): one for one in names}
    # The comparison takes time in the product of the lengths, and no name is this long.
    similar = difflib.get_close_matches(name.casefold()[:128], folded, n=1, cutoff=_CUTOFF)
    return folded[similar[0]] if similar else None


def _plain_error(error: Mapping[str, Any], given: Any) -> FieldError:
    """Return an error without a hint."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "json_invalid":
        return FieldError(field="body", detail=f"not JSON: {context['error']}")
    template = _DETAILS.get(kind)
    context = {name: _number(value) for name, value in context.items()}
    detail = template.format_map(context) if template else error["msg"].removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        detail = _PATTERNS.get(context["pattern"], detail)
    detail = re.sub(r"\b1 (item|character)s\b", r"1 \1", detail)
    if kind in {"too_short", "string_too_short"} and context["min_length"] == 1:
        detail = "must not be empty"
    return FieldError(field=".".join(_written_path(error, given)), detail=detail)


def _number(value: Any) -> Any:
    """Return a bound as a person writes it: 1, not 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _path_of(error: Mapping[str, Any]) -> list[str]:
    path = [str(part) for part in error["loc"] if part != "[key]"]  # pydantic's mark of an invalid key of an object
    return path[1:] if len(path) > 1 and path[0] in _PLACES else path


def _written_path(error: Mapping[str, Any], given: Any) -> list[str]:
    """Return the path of an error as it is in the body: without the members of unions that pydantic names."""
    place = [part for part in error["loc"] if part != "[key]"]
    if len(place) < 2 or place[0] != "body" or not isinstance(given, dict | list):
        return _path_of(error)
    written, value, is_written = [], given, False
    for part in place[1:]:
        is_written = False
        if (isinstance(value, dict) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        ):
            value, is_written = value[part], True
            written.append(str(part))
    if not written:
        return _path_of(error)
    return written if is_written or error["type"] != "missing" else [*written, str(place[-1])]


def _field_error(error: Mapping[str, Any], body: Any, given: Any) -> FieldError:
    plain = _plain_error(error, given)
    kind, context, value, path = error["type"], error.get("ctx", {}), error.get("input"), _path_of(error)
    field, detail = plain.field, plain.detail
    if kind == "extra_forbidden":
        return unknown_name(field, detail, path[-1], _names_at(body, path[:-1]))
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        allowed = re.findall("'([^']*)'", context.get("expected") or context["expected_tags"])
        return unknown_name(field, detail, str(context.get("tag", value)), allowed)
    if "allowed" in context:
        return unknown_name(field, detail, str(value), context["allowed"])
    hint = None
    if kind in {"list_type", "tuple_type"} and isinstance(value, str) and len(value) <= _MAX_EXAMPLE_CHARS:
        hint = f"write a list: {json.dumps([value], ensure_ascii=False)}"
    return FieldError(field=field, detail=detail, hint=hint, nearest=getattr(context.get("error"), "nearest", None))


def _names_at(annotation: Any, path: Sequence[str]) -> list[str]:
    """Return the names of the fields of an object in the body; none if they are not known.

    Args:
        path: names of fields, between them the indexes of lists, the keys of dictionaries and the tags of unions.
    """
    models = list(_models(annotation))
    for part in path:
        following = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        if following:
            models = [model for one in following for model in _models(one)]
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def _models(annotation: Any) -> Iterable[type[BaseModel]]:
    """Yield the models in an annotation: in a union, a list, a dictionary, or itself."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
