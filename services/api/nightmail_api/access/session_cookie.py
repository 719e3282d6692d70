"""The cookie of a session: its name and attributes, and the check that a request with it comes from the console.

Browsers send cookies by themselves, so SameSite=Strict is not the only defence: a method that changes something needs proof of
its origin and a header that no form can set (OWASP, Cross-Site Request Forgery Prevention).
"""

import ipaddress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from nightmail_api.http.problems import Forbidden

#: The console sends it with every request. A script of another origin needs a CORS preflight for it, which fails.
CONSOLE_HEADER = "x-nightmail-console"
#: `__Host-`: the browser accepts it only with Secure, for `/`, and from this very host (RFC 6265bis, section 4.1.3.2).
SECURE_NAME = "__Host-nightmail"
#: The cookie of a sign-in at the issuer. SameSite=Lax: the issuer's page sends the browser back.
_SIGN_IN_SUFFIX = "-sign-in"
#: On http://127.0.0.1 there is no TLS, and some browsers refuse Secure cookies there.
LOOPBACK_NAME = "nightmail"

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie for this request."""
    return LOOPBACK_NAME if _is_plain_loopback(request) else SECURE_NAME


def set_cookie(request: Request, response: Response, value: str, expires_at: datetime) -> None:
    """Set the cookie of a session."""
    name = cookie_name(request)
    seconds = max(0, int((expires_at - datetime.now(UTC)).total_seconds()))
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=name == SECURE_NAME, httponly=True, samesite="strict"
    )


def delete_cookie(request: Request, response: Response) -> None:
    """Delete the cookie of a session."""
    name = cookie_name(request)
    response.delete_cookie(name, path="/", secure=name == SECURE_NAME, httponly=True, samesite="strict")


def sign_in_cookie_name(request: Request) -> str:
    """Return the name of the cookie of a sign-in at the issuer."""
    return cookie_name(request) + _SIGN_IN_SUFFIX


def set_sign_in_cookie(request: Request, response: Response, value: str, seconds: int) -> None:
    """Set the cookie of a sign-in at the issuer; 0 seconds: delete it."""
    secure = cookie_name(request) == SECURE_NAME
    name = sign_in_cookie_name(request)
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def check_same_origin(request: Request) -> None:
    """Check that the console itself sent a request with a cookie.

    Raises:
        Forbidden: an unsafe method without proof of its origin, or without the console's header.
    """
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    # Browsers send Sec-Fetch-Site to https and loopback only; Origin, with every unsafe method.
    is_same = site == "same-origin" if site is not None else _origin_is_host(request)
    if not is_same or CONSOLE_HEADER not in request.headers:
        raise Forbidden(
            f"a request with a session comes from the console: same origin, with the header {CONSOLE_HEADER}"
        )


def check_not_cross_site(request: Request) -> None:
    """Check that no other site's page sent a request that needs no cookie; programs send neither header.

    Raises:
        Forbidden: a browser says that the page has another origin.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or ("origin" in request.headers and not _origin_is_host(request)):
        raise Forbidden("a page of another origin may not sign in or out here")


def _origin_is_host(request: Request) -> bool:
    host = request.headers.get("host", "")
    try:
        return bool(host) and urlsplit(request.headers.get("origin", "")).netloc == host
    except ValueError:
        return False


def _is_plain_loopback(request: Request) -> bool:
    if request.url.scheme != "http":
        return False
    host = request.url.hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
