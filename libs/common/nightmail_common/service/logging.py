"""Log lines are events too: a stable name and fields, on the console or as JSON.

A handler binds `run_id` and `job_name` to the context, and every line of its run has them.
"""

import logging
import os
import re
import socket
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

#: A terminal obeys these, and a line may contain the answer of a foreign server.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def set_up_logging(service: str, level: str, log_format: Literal["console", "json"]) -> None:
    """Write the lines of structlog, of libraries and of Python's warnings to stderr, in one format."""

    instance = f"{socket.gethostname()}/{os.getpid()}"

    def add_service(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        line.setdefault("service", service)
        line.setdefault("instance", instance)
        return line

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendering: list[Processor] = (
        [add_service, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if log_format == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=False, pad_event_to=28, exception_formatter=structlog.dev.plain_traceback
            ),
            _escape_control_characters,
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # They log every request or job at `info`; mcp with the ids of sessions and what the API refused, which has addresses in it.
    for chatty in ("httpx", "httpcore", "apscheduler", "uvicorn", "faststream", "nats", "mcp"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def _escape_control_characters(_logger: WrappedLogger, _method: str, line: Any) -> str:
    return _CONTROL_CHARACTERS.sub(lambda found: f"\\x{ord(found[0]):02x}", line)
