"""Connections whose client keeps a service waiting: closed after some seconds, and few of one address at a time.

uvicorn closes an idle connection and limits nothing else: https://github.com/Kludex/uvicorn/issues/157 (0.54).
"""

import asyncio
import fcntl
import resource
import struct
import termios
from typing import Any, ClassVar, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from nightmail_common.contract.limits import (
    MAX_DRAIN_SECONDS,
    MAX_HEADER_SECONDS,
    MAX_OPEN_FILES,
    MAX_WAITING_CONNECTIONS,
    MIN_READ_BYTES,
    READ_CHECK_SECONDS,
)


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for the header of a request, and one for a client that does not read its answer.

    A connection waits for its client from the begin of a request to the end of its body, and while its client does not
    read. If too many connections of one address wait, the one without progress for the longest time is closed.
    """

    #: The waiting connections of each address, the one without progress for the longest time first.
    waiting: ClassVar[dict[str, dict["LimitedHttpProtocol", None]]] = {}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._reading: Literal["nothing", "header", "body"] = "nothing"
        self._read_deadline: asyncio.TimerHandle | None = None
        self._write_check: asyncio.TimerHandle | None = None
        self._unread = 0
        #: Those that are not complete. A pipelined request has one before the answer to the request before it is complete.
        self._cycles: list[RequestResponseCycle] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_client(MAX_HEADER_SECONDS)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._reading == "body":
            self._wait_for_client()
        elif self._reading == "nothing":
            # Empty lines before a request (RFC 9112, 2.2) end the time for the next one, and begin no request.
            if self.cycle is None or (self.cycle.response_complete and self.timeout_keep_alive_task is None):
                self._wait_for_client(MAX_HEADER_SECONDS)
            else:
                self._end_reading()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading = "header"
        self._wait_for_client(MAX_HEADER_SECONDS)

    def on_headers_complete(self) -> None:
        self._reading = "body"
        self._end_reading()
        super().on_headers_complete()
        self._cycles = [*(cycle for cycle in self._cycles if not cycle.response_complete), self.cycle]

    def on_message_complete(self) -> None:
        self._reading = "nothing"
        self._end_reading()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_client_read()
        elif self._reading == "body":
            self._wait_for_client(MAX_DRAIN_SECONDS)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch_client_read()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_client_read()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._end_watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_watch()
        self._end_reading()
        self._disconnect()
        super().connection_lost(exc)

    def _wait_for_client(self, seconds: float | None = None) -> None:
        """Count this connection as waiting, and close it at the deadline, if it has none yet."""
        if seconds is not None and self._read_deadline is None:
            self._read_deadline = self.loop.call_later(seconds, self.abort)
        of_address = self.waiting.setdefault(self._address, {})
        of_address.pop(self, None)
        of_address[self] = None
        if len(of_address) > MAX_WAITING_CONNECTIONS:
            next(iter(of_address)).abort()

    def _end_reading(self) -> None:
        if self._read_deadline is not None:
            self._read_deadline.cancel()
            self._read_deadline = None
        self._end_wait()

    def _watch_client_read(self) -> None:
        """Close this connection unless its client reads on."""
        if self._write_check is None and self.transport.get_write_buffer_size():
            self._unread = self._count_unread()
            self._write_check = self.loop.call_later(READ_CHECK_SECONDS, self._check_client_read)
            self._wait_for_client()

    def _check_client_read(self) -> None:
        unread, self._write_check = self._unread, None
        if unread - self._count_unread() < MIN_READ_BYTES:
            self.abort()
        else:
            self._watch_client_read()

    def _count_unread(self) -> int:
        """Return the bytes that the client has not received. The kernel takes up to 4 MB of them at a time."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        [in_kernel] = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))
        return self.transport.get_write_buffer_size() + int(in_kernel)

    def _end_watch(self) -> None:
        if self._write_check is not None:
            self._write_check.cancel()
            self._write_check = None
        self._end_wait()

    def _end_wait(self) -> None:
        """Count this connection no longer, unless it waits for something else."""
        if self._read_deadline is None and self._write_check is None:
            of_address = self.waiting.get(self._address, {})
            of_address.pop(self, None)
            if not of_address:
                self.waiting.pop(self._address, None)

    def abort(self) -> None:
        """Close this connection at once: a usual close waits until the client has read the rest."""
        self._end_watch()
        self._end_reading()
        self._disconnect()
        self.transport.abort()

    def _disconnect(self) -> None:
        """End every request of this connection. uvicorn ends the last one; another would write to a closed connection."""
        self.pipeline.clear()
        for cycle in self._cycles:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._cycles.clear()

    @property
    def _address(self) -> str:
        return self.client[0] if self.client is not None else ""


def raise_open_files() -> None:
    """Allow this process as many open files as the system does: the usual 1,024 are few connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
