"""Probes of processes on this machine: is one ready, does it answer, does its disk take writes?"""

import asyncio
import os
from contextlib import suppress
from tempfile import TemporaryFile

HTTP_TIMEOUT_SECONDS = 2.0
#: The broker is restarted after its disk takes this much again; before, it would end with the same error.
PROBE_BYTES = 1024 * 1024


async def is_ready(ready_url: str | None, ready_port: int | None) -> bool:
    """Return whether a process is ready: see `ProcessSpec`."""
    if ready_url is not None:
        return (await http_status(ready_url)) == 200
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(HTTP_TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", ready_port)
            writer.close()
            return True
    return False


async def http_status(url: str) -> int | None:
    """Return the status of a GET request, or None if there is no answer in time."""
    with suppress(OSError, TimeoutError, ValueError, IndexError):
        return int((await _status_line(url, HTTP_TIMEOUT_SECONDS)).split()[1])
    return None


async def hangs(url: str, seconds: float) -> bool:
    """Return whether a GET request gets no answer for this long. A process that does not listen is starting, or has ended."""
    try:
        await _status_line(url, seconds)
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


async def _status_line(url: str, seconds: float) -> bytes:
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.rpartition(":")
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(name.strip("[]"), int(port))
        try:
            writer.write(f"GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            return await reader.readline()
        finally:
            writer.close()


def write_problem(folder: str | None) -> str | None:
    """Return why a folder takes no writes, None if it takes them."""
    try:
        with TemporaryFile(dir=folder, buffering=0) as file:
            written = file.write(bytes(PROBE_BYTES))
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or "no reason"
    return None if written == PROBE_BYTES else "No space left on device"
