"""A connection to NATS that waits for the broker, and reconnects after every loss."""

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Server

from nightmail_common.broker.backoff import Backoff
from nightmail_common.broker.patches import PatchedClient
from nightmail_common.broker.repeated_lines import RepeatedLines
from nightmail_common.broker.settings import DEFAULT_NATS_URL, BrokerSettings, check_seed
from nightmail_common.contract.errors import CannotStart, describe_error

#: Between two attempts of the first connection.
CONNECT_WAIT_SECONDS = 0.25
#: Between two attempts after a lost connection, per server.
RECONNECT_BACKOFF = Backoff(first=0.05, longest=2.0)
#: A broker that is cut off is given up after 3 to 4 s of silence.
PING_SECONDS = 1.0
MAX_PINGS = 3
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
        CannotStart: the folder of seeds has no valid seed of this user.
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


async def connect(settings: BrokerSettings, name: str, user: str = AUDITOR) -> PatchedClient:
    """Return a connection, and wait for the broker without limit; the arguments are those of `connect_options`."""
    client = PatchedClient()
    await connect_client(client, settings, name, user)
    return client


async def connect_client(client: PatchedClient, settings: BrokerSettings, name: str, user: str) -> None:
    """Connect this client as `connect` does, and log each server that it reaches or loses."""
    log = _ConnectionLog(client)
    options = connect_options(settings, name, user)
    options |= {"disconnected_cb": log.disconnected, "reconnected_cb": log.reconnected}
    await client.connect(**options)
    log.connected()


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
        check_seed(path.read_bytes())
    except OSError as error:
        raise CannotStart(f"setting NIGHTMAIL_NATS_SEEDS: {path}: {error.strerror}") from None
    except ValueError as error:
        raise CannotStart(f"setting NIGHTMAIL_NATS_SEEDS: {path}: {error}") from None
    return path


def _next_server(servers: list[Server], _info: dict[str, Any]) -> tuple[Server, float]:
    server = min(servers, key=lambda server: server.reconnects)
    return server, RECONNECT_BACKOFF.wait(server.reconnects + 1)


class _ErrorLog:
    """Logs a connection's errors. The same error comes with each attempt, and is logged once a minute."""

    def __init__(self) -> None:
        self._lines = RepeatedLines()

    async def log(self, error: Exception) -> None:
        text = describe_error(error)
        if not self._lines.is_due(text):
            return
        if isinstance(error, ConnectionRefusedError | nats.errors.NoServersError):
            logger.info("nats_unreachable", error=text)
        else:
            logger.warning("nats_error", error=text)


class _ConnectionLog:
    """Logs the address of each server that a client reaches or loses; while it is lost, the client does not know it."""

    def __init__(self, client: PatchedClient) -> None:
        self._client = client
        self._server = ""

    def connected(self) -> None:
        self._remember()
        logger.info("nats_connected", server=self._server)

    async def disconnected(self) -> None:
        logger.info("nats_disconnected", server=self._server)

    async def reconnected(self) -> None:
        self._remember()
        logger.info("nats_reconnected", server=self._server)

    def _remember(self) -> None:
        self._client.connected_since = datetime.now(UTC)
        if (url := self._client.connected_url) is not None:
            self._server = url.netloc.rpartition("@")[2]
