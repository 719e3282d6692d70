"""A computation in a process of its own, with limits of CPU time and memory: it blocks nobody, and can be killed."""

import asyncio
import json
import resource
import sys
from collections.abc import Callable, Sequence
from typing import Any


class ProcessFailed(Exception):
    """The process exceeded a limit, or ended without an answer."""


async def compute(module: str, request: dict[str, Any], data: Sequence[bytes]) -> dict[str, Any]:
    """Run `python -m module`, whose main is `serve`, and return its answer. When this ends, the process has ended.

    Raises:
        ProcessFailed: it exceeded a limit.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-W", "ignore", "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},  # no secrets
    )
    try:
        header = json.dumps({"request": request, "sizes": [len(part) for part in data]}).encode()
        output, _ = await process.communicate(b"".join((header, b"\n", *data)))
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        raise ProcessFailed
    answer: dict[str, Any] = json.loads(output)
    return answer


def serve(answer: Callable[..., dict[str, Any]], cpu_seconds: int, memory_bytes: int) -> None:
    """Answer one request: a line of JSON and the data are on stdin, the answer is JSON on stdout."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    header = json.loads(sys.stdin.buffer.readline())
    data = [sys.stdin.buffer.read(size) for size in header["sizes"]]
    json.dump(answer(header["request"], *data), sys.stdout)
