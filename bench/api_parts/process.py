"""One process of the API, or of bare FastAPI, on the first core; its clients are on the second."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api_parts.http_load import get
from shared.nats_server import START_DEADLINE_SECONDS
from shared.nightmail_up import TOKEN, free_port


@asynccontextmanager
async def api(folder: Path, nats_url: str, wait_seconds: float = 0.1) -> AsyncIterator[int]:
    """Run the API on a log until the end of the block; yield its port when it is ready.

    Args:
        folder: of its read model.
        wait_seconds: between two polls of its readiness.
    """
    port = free_port()
    settings = {"DATA_DIR": str(folder), "NATS_URL": nats_url, "PORT": str(port), "ADMIN_TOKEN": TOKEN}
    environment = {f"NIGHTMAIL_{name}": value for name, value in settings.items()} | {"NIGHTMAIL_LOG_LEVEL": "warning"}
    async with server(["-m", "nightmail_api"], environment, port, "/health/ready", wait_seconds):
        yield port


@asynccontextmanager
async def server(
    arguments: list[str], environment: dict[str, str], port: int, path: str, wait_seconds: float = 0.1
) -> AsyncIterator[None]:
    """Run Python with arguments until the end of the block, which begins when a path is answered with 200."""
    process = subprocess.Popen([sys.executable, *arguments], env=os.environ | environment)  # noqa: ASYNC220
    pin(process.pid, 0)
    pin(0, 1)
    try:
        await _answers(port, path, wait_seconds)
        yield
    finally:
        process.terminate()
        process.wait()


def pin(pid: int, core: int) -> None:
    """Keep a process (0: this one) on one core."""
    cores = sorted(os.sched_getaffinity(os.getppid()))
    os.sched_setaffinity(pid, {cores[core % len(cores)]})


async def _answers(port: int, path: str, wait_seconds: float) -> None:
    deadline = time.perf_counter() + START_DEADLINE_SECONDS
    while time.perf_counter() < deadline:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.write(get(port, path))
        status = (await reader.readline()).split()
        writer.close()
        if status[1:2] == [b"200"]:
            return
        await asyncio.sleep(wait_seconds)
    raise SystemExit(f"error: {path} did not answer 200")
