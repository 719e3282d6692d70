"""Addresses as SMTP and mail headers have them."""

import idna


def to_ascii_domain(address: str) -> str:
    """Return an address with its domain in ASCII (IDNA 2008, RFC 5891, after the mapping of UTS 46).

    Only the server may interpret the local part (RFC 6532). Python's own codec is IDNA 2003, which makes another domain
    of `straße.example`.

    Raises:
        ValueError: the domain has a character that no domain may have.
    """
    local, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}@{idna.encode(domain, uts46=True).decode()}"


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]
