"""The NATS connection of a command. A command fails at once when the broker is away; a service waits."""

import asyncio
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats.errors
import structlog
from nats.aio.client import Client

from nightmail_common.broker.connection import AUDITOR, connect_options, seed_file, without_passwords
from nightmail_common.broker.patches import PatchedClient
from nightmail_common.broker.settings import DEFAULT_NATS_URL, BrokerSettings
from nightmail_common.contract.errors import CannotStart, describe_error

CONNECT_SECONDS = 5.0


class BrokerUnreachable(Exception):
    """No broker answers at the URL, or it refuses this user; the message has the URL and the reason."""


@asynccontextmanager
async def connected(settings: BrokerSettings, name: str, user: str = AUDITOR) -> AsyncIterator[Client]:
    """Yield a connection that is closed at the end; the arguments are those of `connect_options`.

    Raises:
        BrokerUnreachable: no connection within five seconds, or the user has no seed.
    """
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    errors: list[Exception] = []

    async def keep(error: Exception) -> None:
        errors.append(error)

    client = PatchedClient()
    try:
        options = connect_options(settings, name, user) | {"error_cb": keep}
        await asyncio.wait_for(client.connect(**options), CONNECT_SECONDS)
    except CannotStart as error:
        raise BrokerUnreachable(str(error)) from None
    except (TimeoutError, OSError, nats.errors.Error) as error:
        url = without_passwords(settings.nats_url or DEFAULT_NATS_URL)
        raise BrokerUnreachable(f"{url}: {_reason([*errors, error], settings, user)}") from None
    try:
        yield client
    finally:
        await client.close()


def _reason(errors: list[Exception], settings: BrokerSettings, user: str) -> str:
    """Return why a connection was not made, from the errors of its attempts, and which setting it depends on."""
    for error in errors:
        if isinstance(error, ssl.SSLCertVerificationError):
            authority = settings.nats_ca or "the authorities that this machine trusts"
            return f"its certificate is not accepted ({error.verify_message}): NIGHTMAIL_NATS_CA is {authority}"
        if isinstance(error, ssl.SSLError):
            return f"no TLS: {describe_error(error)}"
        if "authorization violation" in str(error).lower():
            return f"the server refuses this user: {_credentials(settings, user)}"
        if isinstance(error, ConnectionRefusedError):
            return "connection refused: no NATS server listens there"
        if isinstance(error, socket.gaierror):
            return f"the host's name is not known: {describe_error(error)}"
    heard = next((describe_error(error) for error in errors if not isinstance(error, TimeoutError)), None)
    return heard or f"no answer within {CONNECT_SECONDS:.0f} s: a firewall, or no NATS server"


def _credentials(settings: BrokerSettings, user: str) -> str:
    if settings.nats_seeds is not None:
        return (
            f"its seed is {seed_file(settings.nats_seeds, user)}; the server's users are those of nightmail nats-config"
        )
    if settings.nats_creds is not None:
        return f"its credentials are {settings.nats_creds}"
    if settings.nats_user is not None:
        return "NIGHTMAIL_NATS_USER or NIGHTMAIL_NATS_PASSWORD is wrong"
    return "none is set; set NIGHTMAIL_NATS_URL and NIGHTMAIL_NATS_SEEDS, or run the command in the folder of `nightmail up`"
