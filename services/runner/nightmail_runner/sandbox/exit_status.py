"""Why a worker ended without an answer, from its exit status."""

import signal
from pathlib import Path

from nightmail_runner.sandbox.result import Failed
from nightmail_runner.sandbox.task import Limits

#: What C++ libraries print when an allocation fails, before they abort.
_BAD_ALLOC = "std::bad_alloc"
WAY_TO_END = "a script ends with `return` and a DataFrame, or with `skip('the reason')`"


class OomKillCounter:
    """Whether the kernel's OOM killer ended processes (`oom_kill` in /proc/vmstat, all control groups included)."""

    def __init__(self) -> None:
        self._seen = self._read()

    def increased(self) -> bool:
        """Return whether the OOM killer ended a process since the last call."""
        before, self._seen = self._seen, self._read()
        return self._seen > before

    def _read(self) -> int:
        lines = Path("/proc/vmstat").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def out_of_memory(log: str, limits: Limits) -> Failed:
    return Failed("out_of_memory", "OutOfMemory", limits.describe_memory(), log=log)


def describe_exit(code: int, log: str, limits: Limits, oom_kills: OomKillCounter) -> Failed:
    """Return the failure for an exit code (negative: the signal that ended the process, which the runner did not send)."""
    if code >= 0:
        message = f"the script's process exited with status {code} before it returned a result; {WAY_TO_END}"
        return Failed("killed", "Killed", message, log=log)
    if code == -signal.SIGKILL and oom_kills.increased():
        message = (
            "the kernel killed the run because the machine was short of memory; fewer runs at once"
            " (NIGHTMAIL_RUNNER_CONCURRENCY) or a lower limit for each (NIGHTMAIL_SCRIPT_MEMORY) need less"
        )
        return Failed("out_of_memory", "OutOfMemory", message, log=log)
    if code == -signal.SIGABRT and _BAD_ALLOC in log:
        return out_of_memory(log, limits)
    if code == -signal.SIGXFSZ:
        return Failed(
            "output_too_large",
            "OutputTooLarge",
            "the file of the result is larger than NIGHTMAIL_MAX_RESULT_BYTES",
            log=log,
        )
    if code == -signal.SIGSYS:
        message = "SIGSYS ended the script's process: it made a system call that no report needs (docs/sandbox.md)"
        return Failed("killed", "Killed", message, log=log)
    name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    message = (
        f"{name} ended the script's process before it returned a result; a library that the script calls may have"
        " crashed: what the script printed last, in the log of the run, shows how far it came"
    )
    return Failed("killed", "Killed", message, log=log)
