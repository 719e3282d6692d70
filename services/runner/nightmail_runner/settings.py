"""What the runner needs to know."""

from typing import Literal

from pydantic import ByteSize, Field

from nightmail_common.contract.script import DEFAULT_IMPORTS
from nightmail_common.service.settings import CommaSeparated, ServiceSettings


class RunnerSettings(ServiceSettings):
    """How data is fetched and how scripts are held."""

    #: Hosts and CIDRs that data may be fetched from besides the public internet.
    fetch_allow: CommaSeparated = ()
    fetch_timeout: float = Field(default=30.0, gt=0)
    max_input_bytes: ByteSize = ByteSize(256 * 1024**2)
    #: Seconds; the default of a job and the most that it may ask for.
    script_timeout: int = Field(default=300, ge=1)
    script_memory: ByteSize = ByteSize(1024**3)
    #: The top-level packages that a script may import.
    script_imports: CommaSeparated = tuple(sorted(DEFAULT_IMPORTS))
    #: How many runs a runner process works on at once.
    runner_concurrency: int = Field(default=1, ge=1)
    sandbox: Literal["on", "off"] = "on"
