"""The fields of a source of type `api` about its requests: parameters, body, authentication, pages.

The log stores these models as they are; the `check_` functions are for jobs as users write them.
"""

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from nightmail_common.contract.request_headers import check_header
from nightmail_common.contract.source_templates import SECRET, check_templates, without_times

Method = Literal["GET", "POST"]
#: A parameter of a query; true and false are sent as these words.
Parameter = str | int | float | bool
#: Text is sent as it is, an object or a list as JSON.
Body = str | dict[str, Any] | list[Any]

#: A job goes into every event of its runs.
MAX_PARAMS_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024
MAX_BODY_DEPTH = 32

_Text = Annotated[str, Field(min_length=1, max_length=4096)]


class BearerAuth(BaseModel, frozen=True):
    """`Authorization: Bearer TOKEN` (RFC 6750)."""

    type: Literal["bearer"]
    token: _Text


class BasicAuth(BaseModel, frozen=True):
    """`Authorization: Basic ...` (RFC 7617)."""

    type: Literal["basic"]
    username: _Text
    password: Annotated[str, Field(max_length=4096)]


class HeaderAuth(BaseModel, frozen=True):
    """A header of any name, such as `X-Api-Key`."""

    type: Literal["header"]
    name: Annotated[str, Field(min_length=1, max_length=256)]
    value: _Text


class OAuth2ClientCredentials(BaseModel, frozen=True):
    """A token for the client itself (RFC 6749 section 4.4), sent as `Authorization: Bearer`."""

    type: Literal["oauth2_client_credentials"]
    token_url: _Text
    client_id: _Text
    client_secret: _Text
    scope: Annotated[str, Field(max_length=4096)] | None = None


Auth = Annotated[BearerAuth | BasicAuth | HeaderAuth | OAuth2ClientCredentials, Field(discriminator="type")]


def check_url(location: str, what: str = "source_type 'api'", *, templates: bool = True) -> None:
    """Check the URL of a source; with `templates`, secrets may stand in its query and times behind its host.

    Raises:
        ValueError: the URL is not valid; the message shows no part of it that may be secret.
    """
    plain = without_times(location)
    head, _, query = plain.partition("?")
    scheme, slashes, rest = head.partition("//")
    host, slash, path = rest.partition("/")
    check_templates(scheme + slashes + host)
    check_templates(slash + path, times=templates)
    check_templates(query.partition("#")[0], secrets=templates, times=templates)
    plain = SECRET.sub("0", plain)
    try:
        url = urlsplit(plain)
        _ = url.port
    except ValueError:  # its message may contain a password
        raise ValueError("the URL's host or port cannot be read") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError(f"{what} needs an http:// or https:// URL")
    if not plain.isprintable() or " " in plain:
        raise ValueError(f"{what} needs an http:// or https:// URL without spaces and line breaks; a space is %20")
    if url.username is not None or url.password is not None:
        raise ValueError("no user or password in the URL; send a header with {{ secrets.NAME }} instead")
    if not location.lower().startswith(f"{url.scheme}://{url.netloc}".lower()):
        raise ValueError("the scheme and the host of the URL have no {{ ... }}")
    check_templates(location, secrets=templates, times=templates)


def check_params(params: dict[str, Parameter]) -> None:
    """Check the parameters of a query.

    Raises:
        ValueError: they are too long, or a template in a value is not understood.
    """
    if sum(len(name.encode()) + len(str(value).encode()) for name, value in params.items()) > MAX_PARAMS_BYTES:
        raise ValueError(f"the parameters have at most {MAX_PARAMS_BYTES} bytes")
    for name, value in params.items():
        check_templates(name)
        if isinstance(value, str):
            check_templates(value, secrets=True, times=True)


def check_body(body: Body) -> None:
    """Check the body of a POST request.

    Raises:
        ValueError: it is too long, or a template in it is not understood.
    """
    for text in texts_of(body):
        check_templates(text, secrets=True, times=True)
    for name in _names_of(body):
        check_templates(name)
    if len(json.dumps(body, allow_nan=False)) > MAX_BODY_BYTES:
        raise ValueError(f"a body has at most {MAX_BODY_BYTES} bytes")


def check_auth(auth: Auth) -> None:
    """Check how a source is authenticated.

    Raises:
        ValueError: a header or a URL is not valid, or a template is not understood.
    """
    for name, value in auth_texts(auth).items():
        try:
            check_templates(value, secrets=True)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    match auth:
        case HeaderAuth():
            check_header(auth.name, auth.value)
        case BearerAuth():
            check_header("Authorization", f"Bearer {auth.token}")
        case BasicAuth() if ":" in auth.username:
            raise ValueError("a username has no ':' (RFC 7617 section 2)")
        case OAuth2ClientCredentials():
            check_url(auth.token_url, "token_url", templates=False)


def auth_texts(auth: Auth) -> dict[str, str]:
    """Return the fields of an auth that may name secrets."""
    names = {"token", "username", "password", "value", "client_id", "client_secret"} & type(auth).model_fields.keys()
    return {name: getattr(auth, name) for name in sorted(names)}


def auth_header(auth: Auth | None) -> str | None:
    """Return the name of the header that an auth sets."""
    if auth is None:
        return None
    return auth.name if isinstance(auth, HeaderAuth) else "Authorization"


def texts_of(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield every text in a JSON value, the names of objects included.

    Raises:
        ValueError: it is nested too deeply.
    """
    if depth > MAX_BODY_DEPTH:
        raise ValueError(f"a body is nested at most {MAX_BODY_DEPTH} deep")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts_of(item, depth + 1)


def _names_of(value: Any) -> Iterator[str]:
    """Yield the names of every object in a JSON value."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _names_of(item)


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with every text in it changed, but for the names of objects."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {name: map_texts(item, change) for name, item in value.items()}
    return value
