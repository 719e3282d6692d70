"""The documentation page (Swagger UI), served from the package `fastapi-offline` so that it works without the internet.

Only that package's files are used, none of its code.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from nightmail_api.http.openapi import encoded_openapi
from nightmail_api.http.problems import NotFound
from nightmail_api.http.responses import encoded_response

anyone = APIRouter(prefix="/docs", include_in_schema=False)
document = APIRouter(include_in_schema=False)
routers = (anyone, document)

#: Scripts and styles of this origin only. Swagger UI needs inline styles and images in data URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nightmail · API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon.png">
</head>
<body>
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
_FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon.png"})
#: The files change only with a release.
_CACHED = {"Cache-Control": "public, max-age=3600"}


@document.get("/openapi.json")
async def read_document(request: Request) -> Response:
    """Return the OpenAPI document."""
    return encoded_response(encoded_openapi(request.app))


@anyone.get("")
async def page() -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@anyone.get("/start.js")
async def start() -> Response:
    """Return the script that starts Swagger UI; an inline one would need a weaker policy."""
    return Response(_START, media_type="text/javascript")


@anyone.get("/{name}")
async def file(name: str) -> FileResponse:
    """Return one of Swagger UI's files."""
    if name not in _FILES:
        raise NotFound("there is no such path")
    return FileResponse(_folder() / name, headers=_CACHED)


@cache
def _folder() -> Path:
    found = find_spec("fastapi_offline")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "static"
