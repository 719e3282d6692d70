"""Hostile values in every field of a job: each is refused as that field's error, or taken, and at once.

The API checks a job on its event loop.
"""

import time
from contextlib import suppress
from typing import Any

import pytest
from pydantic import ValidationError

from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.source_definition import DataSourceDefinition
from support.deadlines import scaled
from support.job_requests import job_request

#: Each once raised another error, or is the worst known text of a kind of field.
TEXTS = (
    "a/" * 30_000,
    "{{ columns" + "|title" * 150 + " }}",
    "{{ scheduled_at " * 4_000,
    "0 9 * * " + "1-5/1," * 9_000,
    "a@" + "b." * 20_000,
    "a" + "\u0301\u0316" * 20_000 + "@example.com",
    "https://a/" + "../" * 20_000,
    "[0]" * 15_000,
    "\ud800\x00",
)
SOURCES: dict[str, dict[str, Any]] = {
    "api": {"location": "https://example.com/x", "file_type": "json"},
    "file": {"location": "a.csv", "file_type": "csv"},
    "sql": {"location": "CRM", "query": "SELECT 1 AS a"},
}


def values() -> list[Any]:
    deep: dict[str, Any] = {}
    for _ in range(900):
        deep = {"a": deep}
    shapes = [shape for text in TEXTS for shape in (text, [text], {"X": text}, {text: "x"}, {"values": {text: [text]}})]
    return [*shapes, deep, 10**400, -1, 1e308, True, None]


def check(fields: dict[str, Any]) -> None:
    began = time.process_time()
    with suppress(ValidationError):
        JobDefinition.model_validate(job_request(**fields))
    assert time.process_time() - began < scaled(0.3)


@pytest.mark.parametrize("field", JobDefinition.model_fields)
def test_a_hostile_value_in_a_field_of_a_job_is_refused_at_once(field: str) -> None:
    for value in values():
        check({field: value})


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("field", DataSourceDefinition.model_fields)
def test_a_hostile_value_in_a_field_of_a_source_is_refused_at_once(field: str, kind: str) -> None:
    for value in values():
        check({"data_source": {"source_type": kind} | SOURCES[kind] | {field: value}})
