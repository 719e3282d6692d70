"""Parses the events that a follower reads. An unreadable event is reported and skipped."""

import structlog
from pydantic import ValidationError

from nightmail_common.broker.metrics import UNREADABLE_EVENTS
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import Event

logger = structlog.get_logger()


def readable(stored: StoredEvent, consumer: str) -> Event | None:
    """Return the event, or None if it is of an unknown type or version, or not valid.

    Args:
        consumer: the reader, for the metric and the log.
    """
    try:
        event = stored.event()
    except ValidationError as error:
        report_unreadable(stored, consumer, f"{error.error_count()} problems in its fields")
        return None
    if event is None:
        report_unreadable(stored, consumer, f"of type {stored.headers.get('ce-type')}")
    return event


def report_unreadable(stored: StoredEvent, consumer: str, problem: str) -> None:
    """Count and log an event that a reader passes over."""
    UNREADABLE_EVENTS.labels(consumer).inc()
    logger.error(
        "event_unreadable", consumer=consumer, subject=stored.subject, sequence=stored.sequence, problem=problem
    )
