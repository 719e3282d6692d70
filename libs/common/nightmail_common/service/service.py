"""How a service starts and ends: logging, signals, and a drain before it goes."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import nats.errors
import structlog

from nightmail_common.contract.errors import CannotStart
from nightmail_common.service.logging import set_up_logging
from nightmail_common.service.settings import ServiceSettings

#: What a service may take to finish or hand back what it holds; supervisors wait longer before they kill.
DRAIN_SECONDS = 10.0

logger = structlog.get_logger()


def run_service(
    name: str,
    settings: ServiceSettings,
    serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run a service until SIGTERM or SIGINT.

    Args:
        serve: does the work; once its event is set it finishes or hands back what it holds, and returns. What takes
            longer than `DRAIN_SECONDS` is cut short, with exit code 1.
        loop_factory: makes another event loop than asyncio's own.

    Raises:
        SystemExit: the service cannot start, or the broker did not answer where the service cannot go on without;
            said in one line on stderr. Whoever started it does so again.
    """
    set_up_logging(name, settings.log_level, settings.log_format)
    failed = False
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        try:
            runner.run(_until_signal(name, serve))
        except* CannotStart as errors:
            print(f"error: {_first(errors)}", file=sys.stderr)
            failed = True
        except* nats.errors.Error as errors:
            logger.error("broker_did_not_answer", service=name, error=_first(errors))  # noqa: TRY400
            failed = True
    if failed:
        raise SystemExit(1)


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


async def _until_signal(name: str, serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    logger.info("service_starting", service=name)
    serving = asyncio.create_task(serve(stop))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    done, _ = await asyncio.wait({serving}, timeout=DRAIN_SECONDS)
    if not done:
        # Draining a connection whose broker is gone never ends. A service may be killed at any time, so here it is.
        logger.warning("drain_cut_short", service=name, seconds=DRAIN_SECONDS)
        os._exit(1)
    serving.result()
    logger.info("service_stopped", service=name)
