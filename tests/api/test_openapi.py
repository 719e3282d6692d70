"""The API's own description: nothing in it without a description and an example, and the examples are true."""

from typing import Any

import jsonschema_rs
import pytest

from nightmail_api.http.application import build_application

DOCUMENT = build_application(None).openapi()  # type: ignore[arg-type]
OPERATIONS = [
    pytest.param(operation, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def contents(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every content that an operation takes or answers."""
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    return [
        content for one in bodies + list(operation["responses"].values()) for content in one.get("content", {}).values()
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_everything_that_is_asked_and_answered_is_described_with_an_example(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    for parameter in operation.get("parameters", []):
        assert parameter["description"], parameter["name"]
    for status, answer in operation["responses"].items():
        assert answer["description"], status
        assert "content" in answer or status == "204", status
    for content in contents(operation):
        assert content["example"], content
        assert content["schema"], content


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_example_is_what_its_schema_says(operation: dict[str, Any]) -> None:
    for content in contents(operation):
        schema = content["schema"] | {"components": DOCUMENT["components"]}
        jsonschema_rs.validator_for(schema, validate_formats=True).validate(content["example"])


def test_every_answer_that_is_an_error_is_a_problem_document() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if status >= "400" and path != "/health/ready":
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


def test_every_schema_is_described() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema["description"], name
