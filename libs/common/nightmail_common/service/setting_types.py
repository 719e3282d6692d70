"""The types of settings that several services have: an entry that could never have an effect is refused at the start."""

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ByteSize, SecretStr, TypeAdapter

from nightmail_common.service.settings import CommaSeparated

#: The least length of keys and tokens: a shorter one can be guessed.
MIN_SECRET_CHARS = 16

#: Names of containers may have underscores; the last label of a name is no number, or the name is a mistyped address.
_HOST_NAME = re.compile(r"(?:[\w-]{1,63}\.)*(?!\d+\.?$)[\w-]{1,63}\.?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def _each(check: Callable[[str], None]) -> AfterValidator:
    def check_all(entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            check(entry)
        return entries

    return AfterValidator(check_all)


def _check_allowed_host(entry: str) -> None:
    """Check an entry of FETCH_ALLOW: a host name, an address or a network."""
    if "://" in entry:
        raise ValueError(f"{entry!r} is a URL: name its host alone, as in intra.example.com")
    if "*" in entry:
        raise ValueError(f"{entry!r}: a pattern allows nothing; name each host, or the network, as in 10.0.0.0/8")
    if _is_network(entry, strict=False):
        return
    if "/" in entry:
        raise ValueError(f"{entry!r} is not a network: write one as in 10.0.0.0/8 or fd00::/8")
    if _HOST_NAME.fullmatch(entry) is None:
        raise ValueError(
            f"{entry!r} is not a host name without its port, an address or a network, as in intra.example.com, 10.1.2.3, 10.0.0.0/8"
        )


def _check_single_host(entry: str) -> None:
    """Check an entry of a secret's hosts: a host name or an address."""
    if "/" not in entry and _is_network(entry, strict=True):
        return
    if _HOST_NAME.fullmatch(entry) is None:
        raise ValueError(
            f"{entry!r} is not a host name without scheme, port and pattern, nor an address, as in crm.example.com"
        )


def _check_proxy(entry: str) -> None:
    if entry == "*" or _is_network(entry, strict=True):
        return
    if _is_network(entry, strict=False):
        raise ValueError(
            f"{entry!r} has bits beyond the network: write {ip_network(entry, strict=False)}, or one address"
        )
    raise ValueError(f"{entry!r} is not an address or a network, as in 10.1.2.3 or 10.0.0.0/8")


def _check_origin(entry: str) -> None:
    # The middleware compares texts: what no browser sends as `Origin` allows nobody.
    if entry == "*":
        return
    example = "an origin has a scheme and a host in lower case, and no path, as in https://reports.example.com"
    if _ORIGIN.fullmatch(entry) is None:
        raise ValueError(f"{entry!r}: {example}")
    try:
        url = urlsplit(entry)
        port = url.port
    except ValueError:
        raise ValueError(f"{entry!r}: {example}") from None
    if port is not None and port == _DEFAULT_PORTS.get(url.scheme):
        raise ValueError(f"{entry!r}: browsers send no default port; write {entry.rpartition(':')[0]}")


def _check_package(entry: str) -> None:
    package = entry.partition(".")[0]
    if not entry.isidentifier():
        more = f"; name its top-level package, {package}" if package.isidentifier() and package != entry else ""
        raise ValueError(f"{entry!r} is not the name of a package as a script imports it, as in sklearn{more}")


def _check_secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < MIN_SECRET_CHARS:
        raise ValueError(f"it has at least {MIN_SECRET_CHARS} characters; `openssl rand -hex 32` makes one")
    return secret


def at_least(least: str) -> AfterValidator:
    """Return the check of a size in bytes.

    Args:
        least: as a user writes it, such as `64MiB`.
    """
    minimum = TypeAdapter(ByteSize).validate_python(least)

    def check(size: ByteSize) -> ByteSize:
        if size < minimum:
            raise ValueError(f"at least {least}: a number without a unit is bytes; write the unit, as in 256MiB")
        return size

    return AfterValidator(check)


def _is_network(entry: str, *, strict: bool) -> bool:
    try:
        ip_network(entry, strict=strict)
    except ValueError:
        return False
    return True


AllowedHosts = Annotated[CommaSeparated, _each(_check_allowed_host)]
SingleHosts = Annotated[CommaSeparated, _each(_check_single_host)]
TrustedProxies = Annotated[CommaSeparated, _each(_check_proxy)]
Origins = Annotated[CommaSeparated, _each(_check_origin)]
Packages = Annotated[CommaSeparated, _each(_check_package)]
#: A key that signs, or a token.
Secret = Annotated[SecretStr, AfterValidator(_check_secret)]
