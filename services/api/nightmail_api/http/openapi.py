"""The OpenAPI document of the API, completed by what FastAPI does not add itself.

Overriding `app.openapi` is FastAPI's documented way to extend the document.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic_core import to_json

from nightmail_api.http.patches import remove_422
from nightmail_api.http.problems import FieldError, ProblemDocument

BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token that `nightmail up` or `POST /tokens` created, or one of the OIDC issuer.",
}
_DESCRIPTIONS = {
    "200": "The response",
    "201": "Created",
    "202": "Accepted; it is processed in the background",
    "204": "Done; there is no content",
}


def encoded_openapi(app: FastAPI) -> bytes:
    """Return the document as JSON, which is encoded once: anybody may ask for it, and its 300 KB take some 10 ms."""
    if not hasattr(app.state, "encoded_openapi"):
        app.state.encoded_openapi = to_json(app.openapi())
    encoded: bytes = app.state.encoded_openapi
    return encoded


def openapi(app: FastAPI) -> dict[str, Any]:
    """Return the document, which is built once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        remove_422(document)
        document["components"]["securitySchemes"] = {"bearer": BEARER}
        # FastAPI adds the models of JSON responses only; problems have their own media type.
        for model in (ProblemDocument, FieldError):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            document["components"]["schemas"][model.__name__] = schema
        for path in document["paths"].values():
            for operation in path.values():
                for status, response in operation["responses"].items():
                    if response["description"] == "Successful Response":
                        response["description"] = _DESCRIPTIONS[status]
        app.openapi_schema = document
    return app.openapi_schema
