"""One request with the redirects that its source answers: who gets its headers, its body and its cookies."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from nightmail_common.contract.limits import MAX_REDIRECTS
from nightmail_runner.sources.content_encoding import ACCEPTED
from nightmail_runner.sources.errors import CannotFetch


@dataclass(frozen=True)
class SourceRequest:
    """A request with its secrets filled in.

    `headers` and `body` are for the URL's own origin, and for the same host by https instead of http. `mask` masks the
    secrets in a text. `origin`: the URL whose origin `headers` and `body` are for, if it is another one.
    `conditional`: 304 Not Modified is an answer to it.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes | None = None
    mask: Callable[[str], str] = str
    origin: str | None = None
    conditional: bool = False


@dataclass(frozen=True)
class Redirected:
    """The last answer of a chain of redirects. `dropped` says which headers it was not asked with, and why; or is empty."""

    response: httpx.Response
    dropped: str = ""


@asynccontextmanager
async def follow_redirects(
    transport: httpx.AsyncBaseTransport, request: SourceRequest, timeout_seconds: float
) -> AsyncIterator[Redirected]:
    """Send a request, follow its redirects (RFC 9110 section 15.4), and receive the last answer.

    The cookies that the source sets live as long as this one chain.

    Raises:
        CannotFetch: too many redirects, or one that would send the body to another origin.
        httpx.HTTPError: as httpx.
    """
    # Never closed, because that would close the transport, which all requests share.
    client = httpx.AsyncClient(transport=transport, timeout=timeout_seconds, trust_env=False)
    own, target = httpx.URL(request.origin or request.url), httpx.URL(request.url)
    method, body = request.method, request.body
    for _ in range(MAX_REDIRECTS + 1):
        trusted = _may_receive(own, target)
        if body is not None and not trusted:
            raise CannotFetch(f"the source redirects the {method} request to {target.host}, which gets no body of it")
        headers = httpx.Headers({"accept-encoding": ACCEPTED})
        headers.update(request.headers if trusted else {})
        async with client.stream(method, target, headers=headers, content=body, follow_redirects=False) as response:
            if response.next_request is None:
                yield Redirected(response, "" if trusted else _describe_dropped(request, target))
                return
            target, method = response.next_request.url, response.next_request.method
            body = body if method == request.method else None
    raise CannotFetch(f"the source redirects more than {MAX_REDIRECTS} times")


def _may_receive(own: httpx.URL, target: httpx.URL) -> bool:
    """Return whether the headers for one URL may be sent to another: the same origin, or the same host by a safer scheme."""
    same_origin = (target.scheme, target.host, target.port) == (own.scheme, own.host, own.port)
    return same_origin or (target.host == own.host and (own.scheme, target.scheme) == ("http", "https"))


def _describe_dropped(request: SourceRequest, target: httpx.URL) -> str:
    if not request.headers:
        return ""
    names = ", ".join(request.headers)
    return f"the source redirects to {target.scheme}://{target.netloc.decode()}, which was not sent the headers {names}"
