"""A TCP proxy in front of several servers, such as a load balancer in front of the replicas of a service."""

import socket
import socketserver
import threading
from contextlib import suppress


class Switch(socketserver.ThreadingTCPServer):
    """Passes connections on to one port of this machine; `to` ends those to another port."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = port
        self.port: int = self.server_address[1]
        self.connections: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def to(self, port: int) -> None:
        self.target = port
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.BaseRequestHandler):
    server: Switch
    request: socket.socket

    def handle(self) -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.server.target)) as server:
            self.server.connections.add(server)
            threading.Thread(target=_pass_on, args=(self.request, server), daemon=True).start()
            _pass_on(server, self.request)
            self.server.connections.discard(server)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
