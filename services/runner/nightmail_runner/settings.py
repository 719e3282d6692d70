"""The settings of the runner."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ByteSize, Field, TypeAdapter, model_validator

from nightmail_common.contract.limits import (
    DEFAULT_MAX_COLUMNS,
    DEFAULT_MAX_JOB_RESULT_BYTES,
    DEFAULT_MAX_RESULT_BYTES,
    DEFAULT_MAX_ROWS,
)
from nightmail_common.contract.sql_source import CONNECTION_PREFIX
from nightmail_common.service.setting_types import AllowedHosts, Packages, SingleHosts, at_least
from nightmail_common.service.settings import PREFIX, ServiceSettings, settings_with_prefix

#: `SECRET_<NAME>` is a secret of sources, and `SECRET_<NAME>_HOSTS` the hosts that may receive it.
SECRET_PREFIX = f"{PREFIX}SECRET_"
HOSTS_SUFFIX = "_HOSTS"
#: A process needs this much for pandas itself.
_LEAST_MEMORY = "64MiB"
#: A smaller input or result has no table in it: the unit is missing.
_LEAST_DATA = "1kB"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.")


def _check_url(url: str) -> str:
    if _SCHEME.match(url) is None:
        raise ValueError("a URL with a scheme, as in postgresql://user:password@host/database")
    return url


_CONNECTIONS = TypeAdapter(dict[str, Annotated[str, AfterValidator(_check_url)]])
_SECRET_HOSTS = TypeAdapter(dict[str, SingleHosts])


class RunnerSettings(ServiceSettings):
    """How data is fetched, and the limits of scripts."""

    #: Hosts, addresses and networks that data may be fetched from besides the public internet.
    fetch_allow: AllowedHosts = ()
    fetch_timeout: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    max_input_bytes: Annotated[ByteSize, at_least(_LEAST_DATA)] = ByteSize(256 * 1024**2)
    #: A larger input is not kept after its run.
    max_kept_input_bytes: ByteSize = Field(default=ByteSize(16 * 1024**2), ge=0)
    #: Seconds: the default and the maximum of a job's `timeout_seconds`.
    script_timeout: int = Field(default=300, ge=1)
    script_memory: Annotated[ByteSize, at_least(_LEAST_MEMORY)] = ByteSize(1024**3)
    #: The largest CSV of a result.
    max_result_bytes: Annotated[ByteSize, at_least(_LEAST_DATA)] = ByteSize(DEFAULT_MAX_RESULT_BYTES)
    #: The most bytes of all stored results of a job together.
    max_job_result_bytes: Annotated[ByteSize, at_least(_LEAST_DATA)] = ByteSize(DEFAULT_MAX_JOB_RESULT_BYTES)
    max_rows: int = Field(default=DEFAULT_MAX_ROWS, ge=1)
    max_columns: int = Field(default=DEFAULT_MAX_COLUMNS, ge=1)
    #: The top-level packages that a script may import besides `DEFAULT_IMPORTS`. They must be installed beside the runner.
    script_imports: Packages = ()
    #: How many runs a runner process executes at once.
    runner_concurrency: int = Field(default=1, ge=1)
    sandbox: Literal["on", "off"] = "on"

    @model_validator(mode="after")
    def _connections_are_urls(self) -> Self:
        """Check each `CONNECTION_<NAME>`. A URL is a secret: no message shows it."""
        found = settings_with_prefix(f"{PREFIX}{CONNECTION_PREFIX}", Path(".env"))
        _CONNECTIONS.validate_python({f"{CONNECTION_PREFIX}{name}": url for name, url in found.items()})
        return self

    @model_validator(mode="after")
    def _hosts_of_secrets_are_hosts(self) -> Self:
        """Check each `SECRET_<NAME>_HOSTS`: a source's host is compared with each entry, which is no pattern."""
        found = settings_with_prefix(SECRET_PREFIX, Path(".env"))
        hosts = {name: value for name, value in found.items() if name.endswith(HOSTS_SUFFIX)}
        _SECRET_HOSTS.validate_python({f"SECRET_{name}": value for name, value in hosts.items()})
        return self
