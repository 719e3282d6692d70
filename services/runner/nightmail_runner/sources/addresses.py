"""The addresses that data may be fetched from, checked when a connection is made.

The name is resolved here, its addresses are checked, and the connection goes to a checked address. So neither DNS
rebinding nor a redirect reaches an internal address.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore
import httpx

from nightmail_runner.sources.patches import refuse_excess_bytes
from nightmail_runner.sources.special_addresses import Address, is_public


class AddressRefused(Exception):
    """The source is on an internal network; `FETCH_ALLOW` can allow it."""


class AddressPolicy:
    """Allows the public internet and the entries of `FETCH_ALLOW`: host names, addresses and CIDR networks."""

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


class AddressCheckingTransport(httpx.AsyncHTTPTransport):
    """httpx's transport, which connects to allowed addresses only."""

    def __init__(self, policy: AddressPolicy) -> None:
        refuse_excess_bytes()
        # No proxy from the environment, which would resolve names itself; but SSL_CERT_FILE, for an own authority.
        super().__init__(trust_env=False, verify=httpx.create_ssl_context(trust_env=True))
        self._pool._network_backend = _CheckingBackend(policy)  # noqa: SLF001


class _CheckingBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
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
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host} is not resolved in time") from error
        for address in addresses:
            try:
                return await self._backend.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} resolves to no address")

    async def _resolve(self, host: str, port: int) -> Sequence[Address]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} does not resolve: {error}") from error
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        permitted = [address for address in dict.fromkeys(addresses) if self._policy.permits(host, address)]
        if addresses and not permitted:
            raise AddressRefused(
                f"{host} has the address {addresses[0]}, which is not on the public internet; NIGHTMAIL_FETCH_ALLOW can allow it"
            )
        return permitted
