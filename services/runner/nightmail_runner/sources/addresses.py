"""Which addresses data may be fetched from, checked where the connection is made.

A name is resolved here, its addresses are checked here, and the connection goes to one that passed: a name that
resolves differently the next moment (DNS rebinding) or a redirect into the network finds the same check.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore
import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Addresses that carry an IPv4 address in their last 32 bits (RFC 6052).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """The source is inside of a network that data may not be fetched from; FETCH_ALLOW can name it."""


class Allowed:
    """The public internet, and what `FETCH_ALLOW` names: hosts by name, addresses and networks by CIDR."""

    def __init__(self, extra: Iterable[str]) -> None:
        self._hosts: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for entry in extra:
            try:
                self._networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                self._hosts.add(entry.lower())

    def permits(self, host: str, address: Address) -> bool:
        if host.lower() in self._hosts:
            return True
        return any(address in network for network in self._networks) or is_public(address)


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet, and so is the IPv4 address that it may carry."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(carried)
    return address.is_global and not address.is_multicast


class CheckingTransport(httpx.AsyncHTTPTransport):
    """httpx's transport, on connections that are checked."""

    def __init__(self, allowed: Allowed) -> None:
        super().__init__(trust_env=False)  # a proxy from the environment would resolve names by itself
        self._pool._network_backend = _CheckingBackend(allowed)  # noqa: SLF001


class _CheckingBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        for address in await self._checked(host, port):
            try:
                return await self._backend.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def _checked(self, host: str, port: int) -> Sequence[Address]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} cannot be resolved: {error}") from error
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        permitted = [address for address in dict.fromkeys(addresses) if self._allowed.permits(host, address)]
        if addresses and not permitted:
            raise AddressRefused(
                f"{host} is at {addresses[0]}, which is not on the public internet; NIGHTMAIL_FETCH_ALLOW can allow it"
            )
        return permitted
