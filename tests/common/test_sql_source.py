"""What a source of type sql may say, and which field an error names."""

from typing import Any

import pytest
from pydantic import ValidationError

from nightmail_common.contract.job import DataSource
from nightmail_common.contract.source_definition import DataSourceDefinition
from nightmail_common.contract.sql_source import connection_name

SQL = {"source_type": "sql", "location": "SALES", "query": "SELECT 1"}
API = {"source_type": "api", "location": "https://example.com/a.csv", "file_type": "csv"}


def errors(fields: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        DataSourceDefinition.model_validate(fields)
    return {str(error["loc"][0]): error["msg"] for error in refused.value.errors()}


@pytest.mark.parametrize("parameters", [None, [], ["a", 1, 1.5, True, None], {"day": "2026-01-01", "n": 2**63 - 1}])
def test_a_query_has_parameters_as_a_list_or_an_object(parameters: Any) -> None:
    source = DataSourceDefinition.model_validate(SQL | {"parameters": parameters})
    assert source.parameters == parameters
    assert [type(one) for one in source.parameters or []] == [type(one) for one in parameters or []]


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        (SQL | {"query": None}, "query", "Field required"),
        (SQL | {"query": " \n"}, "query", "blank"),
        (SQL | {"query": "x" * 33_000}, "query", "at most 32768 bytes"),
        (SQL | {"query": "SELECT '{{ scheduled_at | date('%Y') }}'"}, "query", "a template stands in parameters"),
        (SQL | {"query": "SELECT {{ secrets.KEY }}"}, "query", "a template stands in parameters"),
        (SQL | {"parameters": ["{{ today }}"]}, "parameters", "is not understood here"),
        (SQL | {"parameters": ["{{ secrets.KEY }}"]}, "parameters", "is not understood here"),
        (SQL | {"parameters": {"a b": 1}}, "parameters", "cannot be the name of a parameter"),
        (SQL | {"parameters": [2**63]}, "parameters", "at most 64 bits"),
        (SQL | {"parameters": [1] * 101}, "parameters", "at most 100"),
        (SQL | {"parameters": [float("nan")]}, "parameters", ""),
        (SQL | {"location": "postgresql://me:secret@db/x"}, "location", "the name of a connection"),
        (SQL | {"file_type": "csv"}, "file_type", "has no file_type"),
        (SQL | {"headers": {"a": "b"}}, "headers", "source_type 'api' only"),
        (SQL | {"method": "POST"}, "method", "source_type 'api' only"),
        (SQL | {"pagination": {"type": "link"}}, "pagination", "source_type 'api' only"),
        (SQL | {"delimiter": ";"}, "delimiter", "a database has types of its own"),
        (SQL | {"types": {"a": "text"}}, "types", "a database has types of its own"),
        (API | {"query": "SELECT 1"}, "query", "source_type 'sql' only"),
        (API | {"parameters": [1]}, "parameters", "source_type 'sql' only"),
        ({"source_type": "api", "location": "https://example.com/a"}, "file_type", "Field required"),
        ({"source_type": "file", "location": "a.csv"}, "file_type", "Field required"),
    ],
)
def test_an_error_names_the_field(fields: dict[str, Any], field: str, reason: str) -> None:
    found = errors(fields)
    assert list(found) == [field]
    assert reason in found[field]
    assert "secret@" not in found[field]


@pytest.mark.parametrize("location", ["SALES", "sales", "CONNECTION_SALES", "connection_sales"])
def test_a_location_is_the_name_of_a_setting(location: str) -> None:
    assert connection_name(location) == "SALES"


def test_braces_that_are_no_template_may_stand_in_a_query() -> None:
    query = "SELECT '{{1,2},{3,4}}'::int[]"
    assert DataSourceDefinition.model_validate(SQL | {"query": query}).query == query


def test_a_source_of_an_old_event_has_no_query() -> None:
    assert DataSource.model_validate(API).query is None
