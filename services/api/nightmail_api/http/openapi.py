"""The API's own description (OpenAPI 3.1): FastAPI's, with an example for every request and answer."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from nightmail_api.http.examples import BY_MEDIA_TYPE, BY_SCHEMA, EVENT, PROBLEMS
from nightmail_api.http.problems import MEDIA_TYPE, FieldError, ProblemDocument

#: What FastAPI documents by itself and no route here answers.
_VALIDATION_SCHEMAS = ("HTTPValidationError", "ValidationError")
_SUCCESSES = {
    200: "What was asked for",
    201: "Made",
    202: "Accepted; it happens by itself from here",
    204: "Done; there is nothing to say",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the document; it is made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        schemas = document["components"]["schemas"]
        for name in _VALIDATION_SCHEMAS:
            schemas.pop(name, None)
        reference = "#/components/schemas/{model}"
        schemas[ProblemDocument.__name__] = ProblemDocument.model_json_schema(ref_template=reference)
        schemas[ProblemDocument.__name__].pop("$defs")
        schemas[FieldError.__name__] = FieldError.model_json_schema(ref_template=reference)
        for path in document["paths"].values():
            for operation in path.values():
                _complete(operation)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any]) -> None:
    operation["responses"].pop("422", None)
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        _add_example(content, media_type, None)
    for code, answer in operation["responses"].items():
        status = int(code)
        if answer["description"] == "Successful Response":
            answer["description"] = _SUCCESSES[status]
        if status == HTTPStatus.UNAUTHORIZED:
            answer["headers"] = {"WWW-Authenticate": _header("The scheme to authenticate by", "Bearer")}
        if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            answer["headers"] = {"Retry-After": _header("Seconds to wait", "1")}
        for media_type, content in answer.get("content", {}).items():
            _add_example(content, media_type, status)


def _add_example(content: dict[str, Any], media_type: str, status: int | None) -> None:
    schema = content.get("schema", {})
    if media_type == MEDIA_TYPE and status is not None:
        detail, errors = PROBLEMS[status]
        content["example"] = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "errors": errors,
        }
    elif media_type == "text/event-stream":
        content["schema"] = {"type": "string"}
        content["example"] = f"id: {EVENT['seq']}\ndata: …\n\n"
    elif media_type in BY_MEDIA_TYPE:
        content["schema"] = {"type": "string"}
        content["example"] = BY_MEDIA_TYPE[media_type]
    else:
        content["example"] = BY_SCHEMA[_schema_name(schema)]


def _schema_name(schema: dict[str, Any]) -> str:
    """Return the name of what a schema refers to, of one that may be null, too."""
    reference: str = schema.get("$ref") or next(one["$ref"] for one in schema["anyOf"] if "$ref" in one)
    return reference.rpartition("/")[2]


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}
