"""A connection to NATS that waits for the broker, and reconnects after every loss."""

import math
import re
import ssl
import time
from pathlib import Path
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client, Server

from nightmail_common.broker.backoff import Backoff
from nightmail_common.broker.patches import PatchedClient
from nightmail_common.broker.settings import DEFAULT_NATS_URL, BrokerSettings
from nightmail_common.contract.errors import CannotStart, describe_error

#: Between two attempts of the first connection.
CONNECT_WAIT_SECONDS = 0.25
#: Between two attempts after a lost connection, per server.
RECONNECT_BACKOFF = Backoff(first=0.05, longest=2.0)
#: A broker that is cut off is given up after 3 to 4 s of silence.
PING_SECONDS = 1.0
MAX_PINGS = 3
#: The same error is logged once in this time: an hour without a broker makes sixty lines, not ten thousand.
REPEAT_ERROR_SECONDS = 60.0
#: The user that reads the log and the results and does nothing else: audit subscribers and commands.
AUDITOR = "auditor"

logger = structlog.get_logger()


def connect_options(settings: BrokerSettings, name: str, user: str = AUDITOR) -> dict[str, Any]:
    """Return the arguments of `nats.connect`.

    The client never gives up: it retries the first connection at a fixed interval, and a lost one with backoff.

    Args:
        name: the connection's name in NATS' monitoring.
        user: the user of `nightmail nats-config` whose seed and inbox prefix the connection has.

    Raises:
        CannotStart: the folder of seeds has no seed of this user.
    """
    urls = [url.strip() for url in (settings.nats_url or DEFAULT_NATS_URL).split(",")]
    options: dict[str, Any] = {
        "servers": urls,
        "name": name,
        "inbox_prefix": inbox_prefix(user),
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": CONNECT_WAIT_SECONDS,
        "reconnect_to_server_handler": _next_server,
        "connect_timeout": 2,
        "ping_interval": PING_SECONDS,
        "max_outstanding_pings": MAX_PINGS,
        "error_cb": _ErrorLog().log,
        "disconnected_cb": _log_disconnected,
        "reconnected_cb": _log_reconnected,
    }
    if settings.nats_ca is not None:
        options["tls"] = ssl.create_default_context(cafile=settings.nats_ca)
    if settings.nats_seeds is not None:
        options["nkeys_seed"] = str(_seed_file(settings.nats_seeds, user))
        return options
    if settings.nats_creds is not None:
        options["user_credentials"] = str(settings.nats_creds)
    if settings.nats_user is not None:
        options["user"] = settings.nats_user
    if settings.nats_password is not None:
        options["password"] = settings.nats_password.get_secret_value()
    return options


async def connect(settings: BrokerSettings, name: str, user: str = AUDITOR) -> Client:
    """Return a connection, however long the broker is away; the arguments are those of `connect_options`."""
    client = PatchedClient()
    await client.connect(**connect_options(settings, name, user))
    return client


def without_passwords(urls: str) -> str:
    """Return brokers' URLs without their users and passwords."""
    return re.sub(r"(^|//|,\s*)[^/,\s]*@", r"\1", urls)


def inbox_prefix(user: str) -> str:
    """Return the prefix of a user's inboxes, which no other user may subscribe to. The auditor has the default."""
    return "_INBOX" if user == AUDITOR else f"_INBOX_{user}"


def seed_file(folder: Path, user: str) -> Path:
    """Return the path of a user's seed in a folder of seeds."""
    return folder / f"{user}.nk"


def _seed_file(folder: Path, user: str) -> Path:
    path = seed_file(folder, user)
    try:
        path.open("rb").close()
    except OSError as error:
        raise CannotStart(f"setting NIGHTMAIL_NATS_SEEDS: {path}: {error.strerror}") from None
    return path


def _next_server(servers: list[Server], _info: dict[str, Any]) -> tuple[Server, float]:
    server = min(servers, key=lambda server: server.reconnects)
    return server, RECONNECT_BACKOFF.wait(server.reconnects + 1)


class _ErrorLog:
    """Logs a connection's errors. The same error comes with each attempt, and is logged once in a while."""

    def __init__(self) -> None:
        self._logged_at: dict[str, float] = {}

    async def log(self, error: Exception) -> None:
        text = describe_error(error)
        now = time.monotonic()
        if now - self._logged_at.get(text, -math.inf) < REPEAT_ERROR_SECONDS:
            return
        self._logged_at[text] = now
        if isinstance(error, ConnectionRefusedError | nats.errors.NoServersError):
            logger.info("nats_unreachable", error=text)
        else:
            logger.warning("nats_error", error=text)


async def _log_disconnected() -> None:
    logger.info("nats_disconnected")


async def _log_reconnected() -> None:
    logger.info("nats_reconnected")
