"""Addresses as SMTP and mail headers have them."""


def on_the_wire(address: str) -> str:
    """Return an address with its domain in ASCII (RFC 5890). The local part is the server's own: it stays (RFC 6532)."""
    local, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}@{domain.encode('idna').decode()}"
