"""Addresses as SMTP and mail headers have them."""


def to_ascii_domain(address: str) -> str:
    """Return an address with its domain in ASCII (RFC 5890). Only the server may interpret the local part (RFC 6532)."""
    local, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}@{domain.encode('idna').decode()}"
