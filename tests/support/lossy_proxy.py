"""A TCP proxy before a nats-server that loses single messages, or holds up the answers to them."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

#: `request`: the server never gets the message. `answer`: the server gets it, its answer does not arrive.
#: A number: the server gets it, and nothing from the server arrives for this many seconds.
Fault = Literal["request", "answer"] | float


class LossyProxy:
    """Passes the NATS protocol on, and applies faults to the messages that clients publish on one subject."""

    def __init__(self, server_port: int, subject: str) -> None:
        self._server_port = server_port
        self._subject = subject.encode()
        self._faults: deque[Fault] = deque()
        self._held_until = 0.0
        self.url = ""
        #: The number of faults so far.
        self.applied = 0

    def plan(self, *faults: Fault) -> None:
        """Apply these faults to the next messages, one to each."""
        self._faults.extend(faults)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["LossyProxy"]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        await asyncio.gather(self._pass_commands(client, to_server), self._pass_answers(server, to_client))

    async def _pass_commands(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while line := await client.readline():
                verb, *arguments = line.split()
                payload = b""
                if verb in {b"PUB", b"HPUB"}:
                    payload = await client.readexactly(int(arguments[-1]) + len(b"\r\n"))
                    if arguments[0] == self._subject and self._faults:
                        self._apply(self._faults.popleft(), line, payload, to_server)
                        continue
                to_server.write(line + payload)
                await to_server.drain()
        to_server.close()

    def _apply(self, fault: Fault, line: bytes, payload: bytes, to_server: asyncio.StreamWriter) -> None:
        self.applied += 1
        if fault == "answer":
            verb, subject, _reply, *sizes = line.split()
            line = b" ".join([verb, subject, b"nobody.listens", *sizes]) + b"\r\n"
        elif isinstance(fault, float):
            self._held_until = time.monotonic() + fault
        if fault != "request":
            to_server.write(line + payload)

    async def _pass_answers(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await server.read(65536):
                await asyncio.sleep(self._held_until - time.monotonic())
                to_client.write(data)
                await to_client.drain()
        to_client.close()
