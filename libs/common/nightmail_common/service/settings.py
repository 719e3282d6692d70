"""The settings that every service has, and how invalid settings are reported.

Environment variables with the prefix `NIGHTMAIL_`, or the same names in `.env`. A service adds its own in its
`settings.py`.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from nightmail_common.broker.settings import BrokerSettings
from nightmail_common.broker.tracing import ENDPOINT_VARIABLE

PREFIX = "NIGHTMAIL_"
#: `nightmail up` writes the URL and the password of its nats-server here (mode 0600), in the format of `.env`.
EMBEDDED_NATS_FILE = "nats.env"
#: Results, scripts and addresses are in every file under `DATA_DIR`: the owner alone reads them.
PRIVATE_UMASK = 0o077


def _comma_separated(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)]


class ServiceSettings(BrokerSettings, BaseSettings):
    """The settings of every service."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Path("data")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    #: The port of /health/live and /health/ready; 0 takes a free one.
    health_port: int = Field(default=0, ge=0, le=65535)
    health_host: str = "127.0.0.1"
    #: Where spans are sent (OTLP over HTTP); the standard variable of OpenTelemetry, without the prefix.
    otlp_endpoint: str | None = Field(default=None, validation_alias=ENDPOINT_VARIABLE, pattern=r"^https?://[^\s]+$")


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load(settings: type[SettingsT], **given: Any) -> SettingsT:
    """Return a service's settings, or end the process with one line on stderr per invalid setting.

    Without `NATS_URL` the broker is the one of `nightmail up` on this machine, as in `DATA_DIR/nats.env`.
    """
    loaded = load_without_broker(settings, **given)
    if loaded.nats_url is None:
        return load_without_broker(settings, _env_file=(".env", loaded.data_dir / EMBEDDED_NATS_FILE), **given)
    return loaded


def load_without_broker(settings: type[SettingsT], **given: Any) -> SettingsT:
    """Return the settings of the environment and `.env` alone; end the process as `load` does."""
    try:
        return settings(**given)
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            prefix = "" if name == ENDPOINT_VARIABLE else PREFIX
            print(f"error: setting {prefix}{name}: {problem['msg'].removeprefix('Value error, ')}", file=sys.stderr)
    except PermissionError as error:
        print(f"error: cannot read {error.filename}: {error.strerror}", file=sys.stderr)
    except UnicodeDecodeError:
        print("error: .env is not UTF-8 text", file=sys.stderr)
    raise SystemExit(1)


def settings_with_prefix(prefix: str, file: Path) -> dict[str, str]:
    """Return the settings that have a prefix, by the rest of their names, from the environment or else from a file."""
    settings = dotenv_values(file) | os.environ
    return {name.removeprefix(prefix): value for name, value in settings.items() if name.startswith(prefix) and value}
