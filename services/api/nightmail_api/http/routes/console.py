"""The web console's files, which `make console` builds into this package; they contain no data and need no session."""

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from nightmail_api.http.compression import chosen
from nightmail_api.http.problems import NotFound

anyone = APIRouter(include_in_schema=False)
routers = (anyone,)

FILES = Path(__file__).parents[2] / "console"

#: Everything comes from this origin, no script or style is inline, and no text becomes a script. `frame-src` is for mails.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; frame-src 'self'; require-trusted-types-for 'script'"
)
#: Shows the HTML of a mail that the editor sends it. It has no origin, and no other script than this one may run in it.
_FRAME_SCRIPT = """
addEventListener("message", ({ source, data }) => {
  if (source !== parent) return;
  document.documentElement.innerHTML = data;
  parent.postMessage({ mailHeight: document.documentElement.scrollHeight }, "*");
});
parent.postMessage({ mailHeight: 0 }, "*");
"""
FRAME = f'<!doctype html><html lang="en"><head><title>Mail</title><script>{_FRAME_SCRIPT}</script></head><body></body></html>'
FRAME_POLICY = (
    f"default-src 'none'; script-src 'sha256-{base64.b64encode(hashlib.sha256(_FRAME_SCRIPT.encode()).digest()).decode()}'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-scripts"
)
MEDIA_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
#: An asset's address has the version of the build, so its content never changes.
_IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file of the build, also compressed."""

    content: bytes
    compressed: bytes
    media_type: str


@anyone.get("/")
@anyone.get("/console")
async def to_console() -> Response:
    """Redirect a person to the console."""
    return RedirectResponse("/console/")


@anyone.get("/console/assets/{version}/{name}")
async def asset(request: Request, version: str, name: str) -> Response:
    """Return a file of this build; those of another build are not here."""
    found = _assets().get(name)
    if found is None or version != _version():
        raise NotFound("there is no such file in this version")
    return _response(request, found, _IMMUTABLE)


@anyone.get("/console/mail-frame")
async def mail_frame() -> Response:
    """Return the page in which the editor shows a mail: the policy of the console permits no styles of a mail."""
    headers = {"Content-Security-Policy": FRAME_POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-cache"}
    return Response(FRAME, headers=headers, media_type="text/html")


@anyone.get("/console/{path:path}")
async def page(request: Request, path: str) -> Response:  # noqa: ARG001 (the page itself reads its address)
    """Return the page, at every address of the console."""
    return _response(request, _page(), "no-cache", {"Content-Security-Policy": POLICY})


def _response(request: Request, file: Asset, cache_control: str, headers: dict[str, str] | None = None) -> Response:
    sent = {"Cache-Control": cache_control, "Vary": "Accept-Encoding", **(headers or {})}
    if chosen(",".join(request.headers.getlist("accept-encoding")), ("gzip",)) == "gzip":
        return Response(file.compressed, headers=sent | {"Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.content, headers=sent, media_type=file.media_type)


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, gzip.compress(content, mtime=0), MEDIA_TYPES[path.suffix])


@cache
def _assets() -> dict[str, Asset]:
    return {path.name: _read(path) for path in (FILES / "assets").iterdir()}


@cache
def _page() -> Asset:
    return _read(FILES / "index.html")


@cache
def _version() -> str:
    return (FILES / "version.txt").read_text().strip()
