"""The settings by which a process reaches the broker."""

import re
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr

DEFAULT_NATS_URL = "nats://127.0.0.1:4222"

#: The broker counts nanoseconds in 64 bits, which hold 292 years.
LONGEST_RETENTION = timedelta(days=100 * 365)

_BROKER_SCHEMES = frozenset({"nats", "tls", "ws", "wss"})
#: A `timedelta` holds nine digits of days, not ten.
_DURATION = re.compile(r"(\d{1,9})\s*(d|h|m|s)?")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_CREDENTIALS = re.compile(
    rb"BEGIN NATS USER JWT[^\n]*\n\S+\r?\n.*BEGIN USER NKEY SEED[^\n]*\n(?P<seed>\S+)\r?\n", re.DOTALL
)


def _parse_duration(value: Any) -> Any:
    """Read `90d`, `12h`, `30m`, `45s`, or a plain number of days."""
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return int(match[1]) * _UNITS[match[2] or "d"]
    if isinstance(value, str):
        raise ValueError("a duration is a number followed by d, h, m or s, as in 90d")
    return value


def _check_range(retention: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= retention <= LONGEST_RETENTION:
        raise ValueError(f"from 1s to {LONGEST_RETENTION.days}d")
    return retention


Retention = Annotated[timedelta, BeforeValidator(_parse_duration), AfterValidator(_check_range)]


def _check_urls(value: str) -> str:
    """Refuse URLs that nats-py refuses with a traceback. No message has the URL, since it may contain a password."""
    schemes = set()
    for text in value.split(","):
        try:
            url = urlsplit(text.strip() if "://" in text else f"nats://{text.strip()}")
            valid = url.hostname and url.port != 0 and text.isprintable()
        except ValueError:
            valid = None
        if not valid or url.scheme not in _BROKER_SCHEMES:
            raise ValueError("URLs of brokers, comma separated, as in nats://127.0.0.1:4222")
        schemes.add(url.scheme in {"ws", "wss"})
    if len(schemes) > 1:
        raise ValueError("all brokers over WebSocket (ws, wss) or none")
    return value


BrokerUrls = Annotated[str, AfterValidator(_check_urls)]


def _check_readable(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    return path


def _check_certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{path} has no PEM certificates in it") from None
    return path


def check_seed(seed: bytes) -> None:
    """Refuse what is no seed of a NATS user (NATS ADR-14).

    Raises:
        ValueError: it is none; the message has nothing of it.
    """
    import nkeys  # takes long to import

    try:
        nkeys.from_seed(bytearray(seed.strip())).wipe()
    except (nkeys.NkeysError, ValueError):
        raise ValueError("not the seed of a NATS user") from None


def _check_credentials(path: Path) -> Path:
    """Refuse a file from which nats-py cannot sign in: it has no check of its own, and ends with a traceback."""
    found = _CREDENTIALS.search(path.read_bytes())
    if found is None:
        raise ValueError(f"{path} is not a credentials file of NATS, with a JWT and a seed")
    try:
        check_seed(found["seed"])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return path


ReadableFile = Annotated[Path, AfterValidator(_check_readable)]
Credentials = Annotated[ReadableFile, AfterValidator(_check_credentials)]
Certificates = Annotated[ReadableFile, AfterValidator(_check_certificates)]


class BrokerSettings(BaseModel):
    """Where the brokers are, how to sign in, and how long they keep what this system stores."""

    nats_url: BrokerUrls | None = None
    #: A folder with one seed per user, as `nightmail nats-config` writes it; each service reads its own.
    nats_seeds: Path | None = None
    nats_creds: Credentials | None = None
    nats_user: str | None = None
    nats_password: SecretStr | None = None
    #: The authority of the brokers' certificates, as PEM. Without one, those that the machine trusts.
    nats_ca: Certificates | None = None
    #: On how many brokers of a cluster each stream and bucket is kept.
    nats_replicas: int = Field(default=1, ge=1, le=5)
    run_retention: Retention = timedelta(days=90)
    result_retention: Retention = timedelta(days=30)
