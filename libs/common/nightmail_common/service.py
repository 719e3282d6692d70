"""How a service starts and ends: logging, signals, and a drain before it goes."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog

from nightmail_common.logging import set_up_logging
from nightmail_common.settings import ServiceSettings

logger = structlog.get_logger()


def run_service(
    name: str,
    settings: ServiceSettings,
    serve: Callable[[asyncio.Event], Awaitable[None]],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run a service until SIGTERM or SIGINT.

    Args:
        serve: does the work; once its event is set it finishes or hands back what it holds, and returns.
        loop_factory: makes another event loop than asyncio's own.
    """
    set_up_logging(name, settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_until_signal(name, serve))


async def _until_signal(name: str, serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    logger.info("service_starting", service=name)
    await serve(stop)
    logger.info("service_stopped", service=name)
