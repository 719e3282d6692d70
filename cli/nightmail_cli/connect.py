"""The NATS connection of a command. A command fails at once when the broker is away; a service waits."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats.errors
import structlog
from nats.aio.client import Client

from nightmail_common.broker.connection import AUDITOR, connect, without_passwords
from nightmail_common.broker.settings import DEFAULT_NATS_URL, BrokerSettings
from nightmail_common.contract.errors import CannotStart

CONNECT_SECONDS = 5.0


class BrokerUnreachable(Exception):
    """No broker answers at the URL, or it refuses this user; the message has the URL."""


@asynccontextmanager
async def connected(settings: BrokerSettings, name: str, user: str = AUDITOR) -> AsyncIterator[Client]:
    """Yield a connection that is closed at the end; the arguments are those of `connect`.

    Raises:
        BrokerUnreachable: no connection within five seconds, or the user has no seed.
    """
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        client = await asyncio.wait_for(connect(settings, name, user), CONNECT_SECONDS)
    except CannotStart as error:
        raise BrokerUnreachable(str(error)) from None
    except (TimeoutError, OSError, nats.errors.Error):
        url = without_passwords(settings.nats_url or DEFAULT_NATS_URL)
        raise BrokerUnreachable(f"no NATS server answers at {url}, or it refuses this user") from None
    try:
        yield client
    finally:
        await client.close()
