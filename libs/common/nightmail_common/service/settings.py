"""The settings that every service has, and how a wrong one is told.

Environment variables with the prefix `NIGHTMAIL_`, or the same names in `.env`. A service adds its own in its
`settings.py`.
"""

import re
import ssl
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "NIGHTMAIL_"
#: Where `nightmail up` leaves how to reach its own nats-server (mode 0600), in the format of `.env`.
EMBEDDED_NATS_FILE = "nats.env"
DEFAULT_NATS_URL = "nats://127.0.0.1:4222"

#: The broker counts nanoseconds in 64 bits, which are 292 years.
LONGEST_RETENTION = timedelta(days=100 * 365)

_BROKER_SCHEMES = frozenset({"nats", "tls", "ws", "wss"})
#: Nine digits of days are a `timedelta`, ten are not.
_DURATION = re.compile(r"(\d{1,9})\s*(d|h|m|s)?")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


def _retention(value: Any) -> Any:
    """Read `90d`, `12h`, `30m`, `45s`, or a plain number of days."""
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return int(match[1]) * _UNITS[match[2] or "d"]
    if isinstance(value, str):
        raise ValueError("a duration is a number with d, h, m or s behind it, as in 90d")
    return value


def _that_the_broker_can_count(retention: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= retention <= LONGEST_RETENTION:
        raise ValueError(f"from 1s to {LONGEST_RETENTION.days}d")
    return retention


Retention = Annotated[timedelta, BeforeValidator(_retention), AfterValidator(_that_the_broker_can_count)]


def _broker_urls(value: str) -> str:
    """Check what nats-py would refuse with a traceback. The URL is not in the messages: a password may be in it."""
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


BrokerUrls = Annotated[str, AfterValidator(_broker_urls)]


def _readable_file(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    return path


def _certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{path} has no certificates as PEM in it") from None
    return path


ReadableFile = Annotated[Path, AfterValidator(_readable_file)]
Certificates = Annotated[ReadableFile, AfterValidator(_certificates)]


def _comma_separated(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)]


class ServiceSettings(BaseSettings):
    """What every service needs to know."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Path("data")
    nats_url: BrokerUrls | None = None
    #: A folder with one seed per user, as `nightmail nats-config` writes it; each service reads its own.
    nats_seeds: Path | None = None
    nats_creds: ReadableFile | None = None
    nats_user: str | None = None
    nats_password: SecretStr | None = None
    #: The authority of the brokers' certificates, as PEM; without one, those that the machine trusts.
    nats_ca: Certificates | None = None
    #: On how many brokers of a cluster each stream and bucket is kept.
    nats_replicas: int = Field(default=1, ge=1, le=5)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    #: The port of /health/live and /health/ready; 0 takes a free one.
    health_port: int = Field(default=0, ge=0, le=65535)
    health_host: str = "127.0.0.1"
    run_retention: Retention = timedelta(days=90)
    result_retention: Retention = timedelta(days=30)


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load(settings: type[SettingsT], **given: Any) -> SettingsT:
    """Return a service's settings, or end the process with one line on stderr per setting that is malformed.

    Without `NATS_URL` the broker is the one that `nightmail up` runs on this machine: how to reach it is read from
    `DATA_DIR/nats.env`.
    """
    loaded = load_without_broker(settings, **given)
    if loaded.nats_url is None:
        return load_without_broker(settings, _env_file=(".env", loaded.data_dir / EMBEDDED_NATS_FILE), **given)
    return loaded


def load_without_broker(settings: type[SettingsT], **given: Any) -> SettingsT:
    """Return the settings as the environment and `.env` have them; end the process as `load` does."""
    try:
        return settings(**given)
    except ValidationError as error:
        for problem in error.errors():
            name = PREFIX + "_".join(str(part) for part in problem["loc"]).upper()
            print(f"error: setting {name}: {problem['msg'].removeprefix('Value error, ')}", file=sys.stderr)
    except PermissionError as error:
        print(f"error: cannot read {error.filename}: {error.strerror}", file=sys.stderr)
    except UnicodeDecodeError:
        print("error: .env is not UTF-8 text", file=sys.stderr)
    raise SystemExit(1)
