"""What Nightmail costs while nothing happens: seconds until ready, and memory when idle.

Starts `nightmail up` with one runner and the mail catcher several times on a fresh data folder. Memory is the sum of
PSS (proportional set size: shared pages are divided among those who share them) of every process of it, nats-server
and the sandbox's fork server included. The baseline, in the same run: a fresh Python that imports pandas.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import psutil

from shared.nightmail_up import nightmail_up

PYTHON = sys.executable
READY_BUDGET_SECONDS = 3.0
IDLE_BUDGET_MB = 300.0
#: Long enough for start-up's garbage to be gone and heartbeats to have run.
SETTLE_SECONDS = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    ready, idle = zip(*(measure_up() for _ in range(rounds)), strict=True)
    pandas_seconds, pandas_mb = zip(*(measure_pandas() for _ in range(rounds)), strict=True)
    _report("ready", "s", ready, pandas_seconds, READY_BUDGET_SECONDS)
    _report("idle PSS", "MB", [sum(by_name.values()) for by_name in idle], pandas_mb, IDLE_BUDGET_MB)
    print("\nidle PSS by process, MB (last round)")
    for name, megabytes in idle[-1].items():
        print(f"  {name:<28} {megabytes:7.1f}")


def measure_up() -> tuple[float, dict[str, float]]:
    """Return the seconds from the command to 'ready', and the idle PSS in MB by process."""
    with tempfile.TemporaryDirectory() as folder, nightmail_up(Path(folder)) as system:
        time.sleep(SETTLE_SECONDS)
        top = psutil.Process(system.pid)
        processes = [top, *top.children(recursive=True)]
        return system.ready_seconds, {_name(process): pss_mb(process.pid) for process in processes}


def measure_pandas() -> tuple[float, float]:
    """Return the seconds and the PSS in MB that a fresh Python takes to import pandas."""
    started = time.perf_counter()
    python = subprocess.Popen(
        [PYTHON, "-c", "import pandas, sys; print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert python.stdout is not None
    python.stdout.readline()
    measured = time.perf_counter() - started, pss_mb(python.pid)
    python.communicate()
    return measured


def pss_mb(pid: int) -> float:
    [line] = [line for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")]
    return int(line.split()[1]) / 1024


def _name(process: psutil.Process) -> str:
    command = [Path(part).name for part in process.cmdline() if not part.startswith("-")]
    return f"{process.pid} {' '.join(command[:2])}"[:28]


def _report(what: str, unit: str, values: Sequence[float], baseline: Sequence[float], budget: float) -> None:
    measured, compared = median(values), median(baseline)
    print(
        f"{what:<9} {measured:6.2f} {unit}  ({measured / compared:.1f} x a Python with pandas: {compared:.2f} {unit};"
        f" {measured / budget:.2f} of the budget of {budget:g} {unit})"
    )


if __name__ == "__main__":
    main()
