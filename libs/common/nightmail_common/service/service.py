"""The chassis of a service: one start sequence, one stop sequence, one place that says why it ended.

A `main.py` calls `run_service` with its own `serve(service)`, which reads top to bottom:

    await service.connected()       # the broker is there, and its streams exist
    ...                             # subscribe
    await service.until_stopped()   # from here on the service is ready
    ...                             # finish or hand back what it holds, and return
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

import nats.errors
import structlog
from nats.js import JetStreamContext

from nightmail_common.broker import streams
from nightmail_common.broker.connection import connect_client
from nightmail_common.broker.errors import BROKER_ERRORS, TRANSIENT_ERRORS
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.metrics import READY
from nightmail_common.broker.patches import PatchedClient, cancel_until_done
from nightmail_common.broker.tracing import set_up_tracing
from nightmail_common.contract.errors import CannotStart, describe_error
from nightmail_common.service.announcements import Announcer, Facts
from nightmail_common.service.health import Health
from nightmail_common.service.http_server import serve_http
from nightmail_common.service.logging import set_up_logging
from nightmail_common.service.settings import PRIVATE_UMASK, ServiceSettings

#: From the signal to the end of the process; supervisors wait longer before they kill.
DRAIN_SECONDS = 10.0
#: How long the subscriptions of the connection may finish their work. The rest of DRAIN_SECONDS belongs to `serve`.
DRAIN_CONNECTION_SECONDS = 3.0
#: A close waits for the peer, which may be gone.
CLOSE_CONNECTION_SECONDS = 1.0
#: A task can lose its cancellation (`broker/patches.py`), so it is cancelled again: a background task after its own
#: clean-up had time to end, a connection attempt, which has none, at once.
CANCEL_AGAIN_SECONDS = 2.0
CANCEL_CONNECT_AGAIN_SECONDS = 0.05

T = TypeVar("T")
Prepare = Callable[[JetStreamContext, ServiceSettings], Awaitable[None]]

logger = structlog.get_logger()


class BackgroundTaskEnded(Exception):
    """A background task returned, although the service needs it for as long as it runs."""


class Service:
    """A running service: its connection, its event log, its health, and when to stop.

    Inside its `async with` the health server listens and the connection is made. `client` and `log` exist from the
    start, and work once `connected` has returned. A stop that comes before `until_stopped` cancels the body.

    Args:
        name: the service's NATS user, and the `ce-source` of its events.
        prepare: returns once the streams exist.
        health_server: whether `health` is served on `HEALTH_PORT`; the API serves it on its own port.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        name: str,
        *,
        prepare: Prepare = streams.wait_for_streams,
        health_server: bool = True,
    ) -> None:
        self.name = name
        self.health = Health()
        #: What `GET /system` shows of this process besides its readiness.
        self.facts: Facts = {}
        self.client = PatchedClient()
        self.log = EventLog(self.client, name, settings.run_retention)
        self.stopping = asyncio.Event()
        #: Why the service stops, and the error behind that; None after a signal.
        self.reason = "serve returned before it was asked to stop"
        self.error: BaseException | None = None
        self._settings = settings
        self._prepare = prepare
        self._health_server = health_server
        self._ready = False
        self._body: asyncio.Task[Any] | None = None
        self._announcer = Announcer(self.client.jetstream(), name, self.health, self.facts)
        self._cancelled = False
        self._background: set[asyncio.Task[Any]] = set()
        self._resources = AsyncExitStack()
        self.health.add("nats", self._reason_not_ready)
        READY.set_function(lambda: self.health.report()[0])

    async def connected(self) -> None:
        """Return once the broker is connected and the streams exist, however long that takes."""
        await asyncio.shield(self._connecting)

    async def until_stopped(self) -> None:
        """Declare the service ready, since its subscriptions stand, and return when it is to stop."""
        self._ready = True
        await self.stopping.wait()

    def stop(self, reason: str, error: BaseException | None = None) -> None:
        """Begin the stop sequence. The first reason counts."""
        if self.stopping.is_set():
            return
        self.reason, self.error = reason, error
        self.stopping.set()
        if self._body is not None and not self._ready:
            self._cancelled = self._body.cancel()

    def background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a task until the service stops. If the task ends before, for whatever reason, the service fails."""
        task = asyncio.create_task(work, name=name)
        self._background.add(task)
        task.add_done_callback(self._on_background_end)

    async def enter(self, resource: AbstractAsyncContextManager[T]) -> T:
        """Open a resource, which is closed after the connection is drained."""
        return await self._resources.enter_async_context(resource)

    async def __aenter__(self) -> Self:
        logger.info("service_starting", service=self.name)
        self._body = asyncio.current_task()
        if self._health_server:
            await self.enter(serve_http(self.health, self._settings.health_host, self._settings.health_port))
        self._connecting = asyncio.create_task(self._connect())
        self._connecting.add_done_callback(self._on_connect_end)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        if self._body is not None and self._cancelled:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)  # the body may have ended before its cancellation came
            self._body.uncancel()
        self.stopping.set()
        await cancel_until_done({self._connecting}, CANCEL_CONNECT_AGAIN_SECONDS)
        await cancel_until_done(self._background, CANCEL_AGAIN_SECONDS)
        if self.client.is_connected:
            await self._announcer.withdraw()
        await self._close_connection()
        await self._resources.aclose()
        if self.error is not None and self.error is not error:
            raise self.error
        return self._cancelled and isinstance(error, asyncio.CancelledError)

    async def _connect(self) -> None:
        await connect_client(self.client, self._settings, f"nightmail-{self.name}", self.name)
        await self._prepare(self.client.jetstream(), self._settings)
        self.background(self._announcer.run(), "announcements")

    def _reason_not_ready(self) -> str | None:
        if not self.client.is_connected:
            return "not connected"
        if not self._connecting.done():
            return "the streams do not exist yet"
        return self._announcer.reason_no_writes() if self._ready else "not subscribed yet"

    def _on_connect_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.stop("cannot connect", error)

    def _on_background_end(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        name = task.get_name()
        self.stop(f"the background task {name} ended", error or BackgroundTaskEnded(name))

    async def _close_connection(self) -> None:
        if not (self.client.is_connected or self.client.is_reconnecting):
            return
        draining = asyncio.create_task(self._drain_connection())
        await asyncio.wait({draining}, timeout=DRAIN_CONNECTION_SECONDS)
        # `drain` refuses while the broker is away, and swallows a cancellation; `close` works in both cases.
        with suppress(*BROKER_ERRORS):
            async with asyncio.timeout(CLOSE_CONNECTION_SECONDS):
                await self.client.close()
        draining.cancel()

    async def _drain_connection(self) -> None:
        with suppress(*BROKER_ERRORS):
            await self.client.drain()


def run_service(
    name: str,
    settings: ServiceSettings,
    serve: Callable[[Service], Awaitable[None]],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    **options: Any,
) -> None:
    """Run a service until SIGTERM or SIGINT, and log why it ended.

    Args:
        serve: the service's own work; see this module. A stop that takes longer than `DRAIN_SECONDS` is cut short.
        loop_factory: makes another event loop than asyncio's own.
        options: further arguments of `Service`.

    Raises:
        SystemExit: the service ended for another reason than a signal. Its supervisor starts it again.
    """
    os.umask(PRIVATE_UMASK)
    set_up_logging(name, settings.log_level, settings.log_format)
    flush_traces = _set_up_traces(name, settings)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        stopped_well = runner.run(_run(name, settings, serve, options))
    flush_traces()
    if not stopped_well:
        raise SystemExit(1)


def _set_up_traces(name: str, settings: ServiceSettings) -> Callable[[], None]:
    if settings.otlp_endpoint is None:
        return lambda: None
    try:
        return set_up_tracing(name, settings.otlp_endpoint)
    except CannotStart as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


async def _run(
    name: str, settings: ServiceSettings, serve: Callable[[Service], Awaitable[None]], options: dict[str, Any]
) -> bool:
    service = Service(settings, name, **options)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, service.stop, number.name)
    serving = asyncio.create_task(_serve(service, serve))
    stopping = asyncio.create_task(service.stopping.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    done, _ = await asyncio.wait({serving}, timeout=DRAIN_SECONDS)
    if not done:
        _log_end(service, service.error)
        logger.warning("drain_cut_short", service=name, seconds=DRAIN_SECONDS)
        # Something never ends. A service may be killed at any time, so it may end here.
        os._exit(1)
    ended_well = _log_end(service, serving.exception())
    # asyncio.Runner cancels the remaining tasks once, and waits for ever for a task of a library that loses that.
    await cancel_until_done(asyncio.all_tasks() - {asyncio.current_task()})
    return ended_well


async def _serve(service: Service, serve: Callable[[Service], Awaitable[None]]) -> None:
    async with service:
        await serve(service)


def _log_end(service: Service, error: BaseException | None) -> bool:
    """Log why a service ended, and return whether that was a signal."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is None and service.reason in signal.Signals.__members__:
        logger.info("service_stopped", service=service.name, reason=service.reason)
        return True
    reason = service.reason if error is service.error else "serve failed"
    match error:
        case None:
            logger.error("service_failed", service=service.name, reason=reason)
        case CannotStart():
            print(f"error: {error}", file=sys.stderr)
        case nats.errors.Error() if isinstance(error, TRANSIENT_ERRORS):
            logger.error("broker_did_not_answer", service=service.name, error=describe_error(error))
        case _:
            logger.error(
                "service_failed", service=service.name, reason=reason, error=describe_error(error), exc_info=error
            )
    return False
