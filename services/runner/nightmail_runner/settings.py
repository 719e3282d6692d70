"""The settings of the runner."""

from typing import Literal

from pydantic import ByteSize, Field

from nightmail_common.contract.limits import (
    DEFAULT_MAX_COLUMNS,
    DEFAULT_MAX_JOB_RESULT_BYTES,
    DEFAULT_MAX_RESULT_BYTES,
    DEFAULT_MAX_ROWS,
)
from nightmail_common.service.settings import CommaSeparated, ServiceSettings


class RunnerSettings(ServiceSettings):
    """How data is fetched, and the limits of scripts."""

    #: Hosts and CIDRs that data may be fetched from besides the public internet.
    fetch_allow: CommaSeparated = ()
    fetch_timeout: float = Field(default=30.0, gt=0)
    max_input_bytes: ByteSize = ByteSize(256 * 1024**2)
    #: A larger input is not kept after its run.
    max_kept_input_bytes: ByteSize = Field(default=ByteSize(16 * 1024**2), ge=0)
    #: Seconds: the default and the maximum of a job's `timeout_seconds`.
    script_timeout: int = Field(default=300, ge=1)
    script_memory: ByteSize = ByteSize(1024**3)
    #: Of a result's CSV.
    max_result_bytes: ByteSize = Field(default=ByteSize(DEFAULT_MAX_RESULT_BYTES), gt=0)
    #: Of all stored results of a job together.
    max_job_result_bytes: ByteSize = Field(default=ByteSize(DEFAULT_MAX_JOB_RESULT_BYTES), gt=0)
    max_rows: int = Field(default=DEFAULT_MAX_ROWS, ge=1)
    max_columns: int = Field(default=DEFAULT_MAX_COLUMNS, ge=1)
    #: The top-level packages that a script may import besides `DEFAULT_IMPORTS`. They must be installed beside the runner.
    script_imports: CommaSeparated = ()
    #: How many runs a runner process executes at once.
    runner_concurrency: int = Field(default=1, ge=1)
    sandbox: Literal["on", "off"] = "on"
