"""Which headers a job may add to the requests of its source."""

import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2, token

#: Headers that frame a message or steer its connection (RFC 9110 section 7.6.1, RFC 9112 section 6, RFC 9113 section 8.2.2).
#: The HTTP client sets them: a job's own value could smuggle a second request, or reach another virtual host.
RESERVED = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def check_header(name: str, value: str) -> None:
    """Check a header that a job adds to a request.

    Raises:
        ValueError: HTTP cannot carry the header as it is, or the HTTP client sets it; the message does not hold the value.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an HTTP header")
    if name.lower() in RESERVED:
        raise ValueError(f"the header {name!r} is set by the HTTP client, a job cannot set it")
    if not is_header_value(value):
        raise ValueError(f"the value of {name!r} has characters that no HTTP header may have")


def is_header_value(value: str) -> bool:
    """Return whether HTTP can carry a header's value unchanged (RFC 9110 section 5.5, without its obsolete forms)."""
    return value.isascii() and value.isprintable() and value == value.strip()
