"""The OpenAPI document: everything has a description and an example, and every example is valid."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from nightmail_api.http.application import build_application
from nightmail_api.http.openapi import encoded_openapi

DOCUMENT = build_application(None).openapi()  # type: ignore[arg-type]
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = [
    pytest.param(operation, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def contents(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every content of an operation's request and responses."""
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    return [
        content for one in bodies + list(operation["responses"].values()) for content in one.get("content", {}).values()
    ]


def has_example(schema: dict[str, Any]) -> bool:
    """Return whether a tool can show an example of a schema: its own, or one composed of those of its parts."""
    if {"example", "examples", "enum", "const", "default"} & schema.keys() or schema.get("type") in {"boolean", "null"}:
        return True
    if "$ref" in schema:
        return has_example(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return any(has_example(one) for one in schema["anyOf"])
    if "items" in schema:
        return has_example(schema["items"])
    return bool(schema.get("properties")) and all(map(has_example, schema["properties"].values()))


def examples(node: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield every example in the document, with its schema."""
    if isinstance(node, dict):
        schema = node.get("schema", node)
        if isinstance(schema, dict) and isinstance(node.get("examples"), list):
            yield from ((schema, example) for example in node["examples"])
        if "example" in node and "schema" in node:
            yield schema, node["example"]
        for key, value in node.items():
            if key not in {"example", "examples"}:
                yield from examples(value)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_request_and_response_has_a_description_and_an_example(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    for parameter in operation.get("parameters", []):
        assert parameter["description"], parameter["name"]
    for status, response in operation["responses"].items():
        assert response["description"], status
        assert "content" in response or status == "204", status
    for content in contents(operation):
        assert "example" in content or has_example(content["schema"]), content


def test_every_example_conforms_to_its_schema() -> None:
    found = list(examples(DOCUMENT))
    assert len(found) > 300
    for schema, example in found:
        validator = jsonschema_rs.validator_for(schema | {"components": DOCUMENT["components"]}, validate_formats=True)
        validator.validate(example)


def test_every_error_is_a_problem_document() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status >= "400" and path != "/health/ready":
                    assert list(response["content"]) == ["application/problem+json"], (path, status)


def test_every_schema_has_a_description() -> None:
    for name, schema in SCHEMAS.items():
        assert schema["description"], name


def test_the_document_is_encoded_once() -> None:
    """Anybody may ask for it: encoding it for each request held the API for some 20 ms."""
    application = build_application(None)  # type: ignore[arg-type]
    encoded = encoded_openapi(application)
    assert json.loads(encoded) == application.openapi()
    assert encoded_openapi(application) is encoded
