"""One connection to NATS that is there for good: it waits for the broker and comes back after every loss."""

import random
from typing import Any

import nats
import nats.errors
import structlog
from nats.aio.client import Client, Server

from nightmail_common.settings import DEFAULT_NATS_URL, ServiceSettings

#: Between two tries of the first connection. Afterwards the wait grows from 50 ms to 2 s.
CONNECT_WAIT_SECONDS = 0.25
RECONNECT_FIRST_WAIT_SECONDS = 0.05
RECONNECT_LONGEST_WAIT_SECONDS = 2.0

logger = structlog.get_logger()


def connect_options(settings: ServiceSettings, name: str) -> dict[str, Any]:
    """Return the arguments of `nats.connect` (and of FastStream's `NatsBroker`) for a service.

    It never gives up: the first connection is tried for ever, a lost one again with exponential backoff and jitter.
    """
    options: dict[str, Any] = {
        "servers": (settings.nats_url or DEFAULT_NATS_URL).split(","),
        "name": name,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": CONNECT_WAIT_SECONDS,
        "reconnect_to_server_handler": _next_server,
        "connect_timeout": 2,
        "ping_interval": 10,
        "max_outstanding_pings": 2,
        "error_cb": _log_error,
        "disconnected_cb": _log_disconnected,
        "reconnected_cb": _log_reconnected,
    }
    if settings.nats_creds is not None:
        options["user_credentials"] = str(settings.nats_creds)
    if settings.nats_user is not None:
        options["user"] = settings.nats_user
    if settings.nats_password is not None:
        options["password"] = settings.nats_password.get_secret_value()
    return options


async def connect(settings: ServiceSettings, name: str) -> Client:
    """Return a connection, however long the broker takes to be there."""
    return await nats.connect(**connect_options(settings, name))


def _next_server(servers: list[Server], _info: dict[str, Any]) -> tuple[Server, float]:
    server = min(servers, key=lambda server: server.reconnects)
    longest = min(RECONNECT_FIRST_WAIT_SECONDS * 2 ** min(server.reconnects, 16), RECONNECT_LONGEST_WAIT_SECONDS)
    return server, random.uniform(longest / 2, longest)


async def _log_error(error: Exception) -> None:
    if isinstance(error, ConnectionRefusedError | nats.errors.NoServersError):
        logger.debug("nats_unreachable", error=str(error))
    else:
        logger.warning("nats_error", error=str(error) or type(error).__name__)


async def _log_disconnected() -> None:
    logger.info("nats_disconnected")


async def _log_reconnected() -> None:
    logger.info("nats_reconnected")
