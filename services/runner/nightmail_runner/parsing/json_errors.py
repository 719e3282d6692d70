"""Errors that an API reports in JSON, with status 200: in place of data, or beside it."""

import json
from collections.abc import Sequence
from typing import Any

from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.options import InputNotReadable

_ERROR_KEYS, _TEXT_KEYS = (
    ("error", "errors", "fault", "exception", "Error Message"),
    ("message", "detail", "title", "error_description", "reason", "msg", "Information", "Note"),
)
_CODE_KEYS = ("errorCode", "error_code")
_FAILED = frozenset({"error", "fail", "failed", "failure"})
#: What an object about an error has (RFC 9457, RFC 6749, and what large APIs send), casefolded.
_MESSAGE_KEYS = frozenset({
    "error", "errors", "fault", "exception", "message", "msg", "detail", "details", "title", "error_description", "error_uri",
    "errorcode", "error_code", "code", "status", "statuscode", "status_code", "success", "ok", "reason", "type", "instance",
    "timestamp", "path", "request_id", "requestid", "documentation_url", "trace", "traceid", "trace_id", "hint",
    "error message", "information", "note",
})  # fmt: skip
_STATUS_KEYS = ("status", "code", "statusCode", "status_code")
#: HTTP's statuses of errors (RFC 9110, section 15).
_SUCCESS = frozenset({"0", "00", "000", "0000", "00000", "ok", "success", "succeeded", "true", "none", ""})
_ERROR_STATUSES = range(400, 600)


def error_in(value: Any) -> str | None:
    """Return the text of a JSON object that reports an error instead of data; None for anything else."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and is_only_message(value[0]):
        return error_in(value[0]) if any(value[0].get(key) for key in (*_ERROR_KEYS, *_CODE_KEYS)) else None
    if not isinstance(value, dict):
        return None
    if (outcome := _outcome_in(value)) is not None:
        return outcome
    named = _named(value)
    text = next((value[key] for key in _TEXT_KEYS if value.get(key)), None)
    alone = any(value.get(key) for key in _TEXT_KEYS if key != "title") and is_only_message(value)
    is_error = named or _has_failed(value) or (text and _has_error_code(value)) or alone
    has_records = any(isinstance(part, list) and part for part in value.values())
    if (not is_error or has_records) and not _lists_errors(value):
        return None
    return _shown(value)


def check_errors_beside(document: Any, records_path: str, records: int, notes: list[str]) -> None:
    """Judge what an object reports beside the records at a path of it.

    Args:
        records: how many there are.
        notes: gets an error that is reported beside records.

    Raises:
        InputNotReadable: an error is reported and there are no records, or there are `errors`: GraphQL lists them beside a
            part of the data (specification of October 2021, section 7.1).
    """
    if not isinstance(document, dict) or records_path.startswith((*_ERROR_KEYS, "warnings")):  # the errors are the data
        return
    failed = _named(document) or _has_failed(document)
    if not records and (failed or any(_is_error_status(document.get(key)) for key in _STATUS_KEYS)):
        raise InputNotReadable(f"the source reports an error instead of data: {_shown(document)}")
    if _lists_errors(document):
        raise InputNotReadable(f"the source reports errors, so its records may be a part of them: {_shown(document)}")
    if failed:
        notes.append(f"the source reports an error beside its records: {_shown(document)}")
    elif (warnings := document.get("warnings")) and isinstance(warnings, list | str):
        shown = warnings if isinstance(warnings, str) else json.dumps(warnings, ensure_ascii=False)
        notes.append(f"the source reports warnings beside its records: {shorten(shown)}")


def judge_outcomes(records: Sequence[Any], notes: list[str]) -> None:
    """Judge the messages of a server of FHIR among the records of its search (R4, section 3.1.1.4.15).

    Args:
        notes: gets the first warning.

    Raises:
        InputNotReadable: one is an error, so that the records may be a part of the data.
    """
    for number, record in enumerate(records, 1):
        found = record.get("resource") if isinstance(record, dict) else None
        if not isinstance(found, dict) or (said := _outcome_in(found)) is None:
            continue
        severities = {issue.get("severity") for issue in found["issue"] if isinstance(issue, dict)}
        if severities & {"error", "fatal"}:
            raise InputNotReadable(f"the source reports an error in record {number}: {said}")
        notes.append(f"record {number} is a message of the source, and no data: {said}")
        return


def _outcome_in(value: dict[str, Any]) -> str | None:
    """Return the text of an OperationOutcome, with which servers of FHIR report errors; None of anything else."""
    if value.get("resourceType") != "OperationOutcome" or not isinstance(issues := value.get("issue"), list):
        return None
    texts = []
    for issue in issues:
        if isinstance(issue, dict):
            details = issue.get("details")
            text = details.get("text") if isinstance(details, dict) else None
            texts.append(str(issue.get("diagnostics") or text or issue.get("code")))
    return shorten("; ".join(texts)) or "OperationOutcome"


def _named(value: dict[str, Any]) -> Any:
    """Return the value of a field whose name means an error; None if the value is empty: `{"code": 0, "message": ""}`."""
    named = (value[key] for key in _ERROR_KEYS if value.get(key))
    return next((one for one in named if not isinstance(one, dict) or any(one.values())), None)


def _has_failed(value: dict[str, Any]) -> bool:
    is_refused = any(value.get(key) is False for key in ("success", "ok"))
    return is_refused or str(value.get("status")).casefold() in _FAILED


def _has_error_code(value: dict[str, Any]) -> bool:
    """Return whether an object has an error status, or a code other than success. A `status` can be that of a record."""
    codes = (value[key] for key in ("code", *_CODE_KEYS) if value.get(key) is not None)
    return any(_is_error_status(value.get(key)) for key in _STATUS_KEYS) or any(
        str(code).casefold() not in _SUCCESS and not str(code).startswith("2") for code in codes
    )


def _is_error_status(status: object) -> bool:
    return str(status).isdecimal() and int(str(status)[:4]) in _ERROR_STATUSES


def _lists_errors(value: dict[str, Any]) -> bool:
    return isinstance(errors := value.get("errors"), list) and bool(errors)


def _shown(value: dict[str, Any]) -> str:
    named = _named(value)
    text = next((value[key] for key in _TEXT_KEYS if value.get(key)), None)
    shown = named if isinstance(named, str) and not text else text or named or value
    if isinstance(shown, list) and len(shown) == 1:
        shown = shown[0]
    if isinstance(shown, dict):
        shown = next((shown[key] for key in _TEXT_KEYS if isinstance(shown.get(key), str)), shown)
    return shorten(shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False))


def is_only_message(value: dict[str, Any]) -> bool:
    """Return whether an object has nothing but what belongs to a message: a record of data has more."""
    return all(key.casefold() in _MESSAGE_KEYS for key in value)
