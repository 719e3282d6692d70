"""A large CSV through the sandbox: seconds and peak memory, as ratios to a bare pandas script on the same file.

The bare script reads the file by its path and writes its CSV to a file. Memory of the sandbox is the largest sum of
PSS, over the run, of this process, the fork server and the run, memory files counted, less what it was before the run
(a warm pandas included on both sides: the bare script's peak counts from behind its import, too).
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded
from nightmail_runner.sandbox.task import Limits, Task

SCRIPT = "return data.groupby('region', as_index=False).amount.sum()"
BARE = """
import sys, time, resource
import pandas
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
since = time.perf_counter()
data = pandas.read_csv(sys.argv[1])
data.groupby('region', as_index=False).amount.sum().to_csv(sys.argv[2], index=False)
print(time.perf_counter() - since, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""
TIME_BUDGET, MEMORY_BUDGET = 1.1, 1.5
POLL_SECONDS = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.csv"
        write_table(path, megabytes * 1_000_000)
        bare_seconds, bare_bytes = bare(path)
        seconds, peak_bytes = asyncio.run(sandboxed(path))
    for name, ours, theirs, budget in (
        ("seconds", seconds, bare_seconds, TIME_BUDGET),
        ("peak MB", peak_bytes / 1e6, bare_bytes / 1e6, MEMORY_BUDGET),
    ):
        verdict = "ok" if ours / theirs <= budget else "OVER"
        print(
            f"{name:8} bare {theirs:8.1f}  ours {ours:8.1f}  ratio {ours / theirs:.2f}  (at most {budget}: {verdict})"
        )


def write_table(path: Path, size: int) -> None:
    line = b"%d,region %d,some text of a usual length,%d.25,2026-01-02\n"
    with path.open("wb") as file:
        file.write(b"id,region,text,amount,day\n")
        block = b"".join(line % (number, number % 50, number % 1000) for number in range(10_000))
        while file.tell() < size:
            file.write(block)


def bare(path: Path) -> tuple[float, float]:
    output = str(path.with_suffix(".out"))
    printed = subprocess.run([sys.executable, "-c", BARE, path, output], capture_output=True, check=True, text=True)
    seconds, peak = printed.stdout.split()
    return float(seconds), float(peak)


async def sandboxed(path: Path) -> tuple[float, float]:
    task = Task(SCRIPT, ReadOptions("csv"), "big", datetime.now(UTC), limits=Limits(600, 8 * 1024**3))
    async with Sandbox() as sandbox:
        await sandbox.started()
        before = memory_bytes()
        with MemoryFile("input") as source, MemoryFile("csv") as csv:
            copy(path, source)
            source.seal()
            peak = Peak()
            since = time.perf_counter()
            result = await sandbox.run(task, source, csv)
            seconds = time.perf_counter() - since
            highest = peak.stop() + source.size
        assert isinstance(result, Succeeded), result
        return seconds, highest - before


def copy(path: Path, source: MemoryFile) -> None:
    with path.open("rb") as file:
        while os.sendfile(source.descriptor, file.fileno(), None, 1 << 24):
            pass


def memory_bytes() -> int:
    own = psutil.Process()
    total = 0
    for process in (own, *own.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


class Peak(threading.Thread):
    """Samples the memory until it is stopped. It sees only the mapped part of a memory file, so callers add its size."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._highest = 0
        self._stopping = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            self._highest = max(self._highest, memory_bytes())

    def stop(self) -> int:
        self._stopping.set()
        self.join()
        return self._highest


if __name__ == "__main__":
    main()
