"""The event contract as AsyncAPI 3, and a page of it. Neither needs a token, because they contain no data."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from nightmail_api.asyncapi.document import encoded
from nightmail_api.asyncapi.page import page
from nightmail_api.http.responses import encoded_response

#: Styles of the page itself, and nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

anyone = APIRouter(include_in_schema=False)
routers = (anyone,)


@anyone.get("/asyncapi.json")
async def read_document() -> Response:
    """Return the document."""
    return encoded_response(encoded())


@anyone.get("/asyncapi")
async def read_page() -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(page(), headers={"Content-Security-Policy": _POLICY})
