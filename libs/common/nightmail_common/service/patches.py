"""Every workaround for uvicorn, with the upstream issue."""

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


class SignalFreeServer(uvicorn.Server):
    """A server that leaves the signals to the service.

    uvicorn takes SIGTERM and SIGINT for itself, and has no option against it
    (https://github.com/Kludex/uvicorn/issues/1579, https://github.com/Kludex/uvicorn/pull/402; 0.54).
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
