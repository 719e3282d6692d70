"""What the end of a run's process says about the run, when it ended without an answer."""

import signal
from pathlib import Path

from nightmail_runner.sandbox.task import Failed

_OUT_OF_MEMORY = "the run needed more memory than it may have"
#: What C++ libraries say when an allocation fails, before they abort.
_BAD_ALLOC = "std::bad_alloc"


class MachineMemory:
    """Whether the kernel had to end processes because the machine, or a control group on it, was short of memory."""

    def __init__(self) -> None:
        self._seen = self._kills()

    def ran_short(self) -> bool:
        """Return whether the kernel ended a process for its memory since this was asked last."""
        before, self._seen = self._seen, self._kills()
        return self._seen > before

    def _kills(self) -> int:
        lines = Path("/proc/vmstat").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def how_it_died(code: int, log: str, memory: MachineMemory) -> Failed:
    """Return what a process's exit code means (negative: the signal that ended it), when it was not we who ended it."""
    if code >= 0:
        return _killed(f"the script's process ended by itself with status {code} before it gave a result", log)
    if code == -signal.SIGKILL and memory.ran_short():
        return Failed("out_of_memory", "OutOfMemory", "the kernel ended the run: the machine was short of memory", log)
    if code == -signal.SIGABRT and _BAD_ALLOC in log:
        return Failed("out_of_memory", "OutOfMemory", _OUT_OF_MEMORY, log)
    if code == -signal.SIGXFSZ:
        return Failed("output_too_large", "OutputTooLarge", "the CSV is larger than it may be", log)
    name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    return _killed(f"the script's process was ended by {name} before it gave a result", log)


def _killed(message: str, log: str) -> Failed:
    return Failed("killed", "Killed", message, log)
