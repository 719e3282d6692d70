"""A large CSV through the sandbox: seconds and peak memory, as ratios to a bare pandas script on the same file.

The bare script reads the file by its path and writes its CSV to a file. Memory of the sandbox is the largest sum, over the
run, of the proportional memory (PSS) of this process, the fork server and the run, and of the input in its memory file, which
counts once and whole, mapped or not; less what it was before the run (a warm pandas included on both sides: the bare
script's peak counts from behind its import, too). Both alternate. Time is the shortest of the rounds, because what else
runs on a machine only adds to it. Before each, a process uses and frees as much memory, in huge pages: a virtual machine takes
a second for each GB that it has not used just before, and gives free blocks as large as a huge page back to its host. Memory is
measured in a run of its own: to read it takes a third of a processor.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
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
USE_MEMORY = """
import mmap, sys
memory = mmap.mmap(-1, int(sys.argv[1]), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_HUGEPAGE)
for page in range(0, len(memory), mmap.PAGESIZE):
    memory[page] = 1
"""
#: More than either takes, as a multiple of the file's size.
USED_TIMES = 5
TIME_BUDGET, MEMORY_BUDGET = 1.1, 1.3
POLL_SECONDS = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.csv"
        write_table(path, arguments.megabytes * 1_000_000)
        bare_seconds, bare_bytes, seconds = [], 0.0, []
        for _ in range(arguments.rounds):
            its_seconds, its_bytes = bare(path)
            bare_seconds.append(its_seconds)
            bare_bytes = max(bare_bytes, its_bytes)
            seconds.append(asyncio.run(sandboxed(path, measure_memory=False))[0])
        _, peak_bytes = asyncio.run(sandboxed(path, measure_memory=True))
    for name, ours, theirs, budget in (
        ("seconds", min(seconds), min(bare_seconds), TIME_BUDGET),
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
    use_memory(path)
    printed = subprocess.run([sys.executable, "-c", BARE, path, output], capture_output=True, check=True, text=True)
    seconds, peak = printed.stdout.split()
    return float(seconds), float(peak)


async def sandboxed(path: Path, *, measure_memory: bool) -> tuple[float, float]:
    task = Task(SCRIPT, ReadOptions("csv"), "big", datetime.now(UTC), limits=Limits(600, 8 * 1024**3))
    async with Sandbox() as sandbox:
        await sandbox.started()
        before = memory_bytes()
        with MemoryFile("input") as source, MemoryFile("csv") as csv:
            copy(path, source)
            source.seal()
            use_memory(path)
            peak = Peak() if measure_memory else None
            since = time.perf_counter()
            result = await sandbox.run(task, source, csv)
            seconds = time.perf_counter() - since
            highest = peak.stop() + source.size if peak else 0
        assert isinstance(result, Succeeded), result
        return seconds, highest - before


def use_memory(path: Path) -> None:
    subprocess.run([sys.executable, "-c", USE_MEMORY, str(USED_TIMES * path.stat().st_size)], check=True)


def copy(path: Path, source: MemoryFile) -> None:
    with path.open("rb") as file:
        while os.sendfile(source.descriptor, file.fileno(), None, 1 << 24):
            pass


def memory_bytes() -> int:
    """Return the memory of this process and its children, without what they have mapped of memory files."""
    own = psutil.Process()
    total = 0
    for process in (own, *own.children(recursive=True)):
        with suppress(OSError):
            for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
                if line.startswith(("Pss_Anon:", "Pss_File:")):
                    total += int(line.split()[1]) * 1024
    return total


class Peak(threading.Thread):
    """Samples the memory until it is stopped."""

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
