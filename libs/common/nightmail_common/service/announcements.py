"""Each process announces itself in the bucket `SERVICES`: its version, and whether it is ready. `GET /system` shows it.

An entry expires soon after the last one: a process that is killed or hangs disappears by itself. The entries are also the
regular writes by which a process sees that the broker stores something: one without a quorum, or with a full disk, still answers.
"""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import structlog
from nats.js import JetStreamContext

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.metrics import UNREADABLE_EVENTS
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.broker.streams import SERVICES, SERVICES_TTL
from nightmail_common.contract.envelope import iso_time
from nightmail_common.contract.errors import describe_error
from nightmail_common.service.health import Health

#: An entry outlives two announcements that are lost. Each one is a sync of the broker's disk.
ANNOUNCE_INTERVAL_SECONDS = SERVICES_TTL.total_seconds() / 3
#: A change of the readiness is announced within this time.
POLL_INTERVAL_SECONDS = 0.5
PUBLISH_TIMEOUT_SECONDS = 2.0
#: A process that ends does not wait long for a broker that may be gone.
WITHDRAW_TIMEOUT_SECONDS = 0.5
#: Longer than a restart of a broker and an election of its leaders take: then the log takes no writes.
NO_WRITES_SECONDS = 10.0

logger = structlog.get_logger()

#: Facts that a service announces besides its readiness, by name; the values are JSON.
Facts = dict[str, Callable[[], Any]]


class Announcer:
    """Writes the entry of this process.

    Args:
        service: the service's name; its NATS user may write `SERVICES` below this name only.
        facts: further fields, which the service adds while it starts.
    """

    def __init__(self, js: JetStreamContext, service: str, health: Health, facts: Facts) -> None:
        self._js = js
        self._health = health
        self._facts = facts
        self._logged_ready: bool | None = None
        self._no_writes_since: float | None = None
        self._no_writes_reason = ""
        self._subject = f"$KV.{SERVICES}.{service}.{uuid4().hex}"
        self._identity = {
            "service": service,
            "instance": f"{socket.gethostname()}/{os.getpid()}",
            "version": version("nightmail-common"),
            "started_at": iso_time(datetime.now(UTC)),
        }

    async def run(self) -> None:
        """Announce each change at once, and the rest regularly, for ever."""
        announced, due = None, 0.0
        while True:
            raise_if_cancelled()
            entry = self._entry()
            self._log_change(entry["ready"], entry["dependencies"])
            if entry != announced or time.monotonic() >= due:
                try:  # an entry that is lost is followed by the next one
                    await self._js.publish(self._subject, json.dumps(entry).encode(), timeout=PUBLISH_TIMEOUT_SECONDS)
                    announced, due = entry, time.monotonic() + ANNOUNCE_INTERVAL_SECONDS
                    self._no_writes_since = None
                except BROKER_ERRORS as error:
                    self._no_writes_since = self._no_writes_since or time.monotonic()
                    self._no_writes_reason = describe_error(error)
            await asyncio.sleep(POLL_INTERVAL_SECONDS)

    def _log_change(self, ready: bool, dependencies: dict[str, str]) -> None:
        if ready == self._logged_ready:
            return
        if ready:
            logger.info("service_ready", instance=self._identity["instance"], version=self._identity["version"])
        elif self._logged_ready is not None:
            reasons = {name: reason for name, reason in dependencies.items() if reason != "ok"}
            logger.warning("service_not_ready", instance=self._identity["instance"], dependencies=reasons)
        self._logged_ready = ready

    def reason_no_writes(self) -> str | None:
        """Return why the broker stores nothing, None if it does."""
        since = self._no_writes_since
        if since is None or time.monotonic() - since < NO_WRITES_SECONDS:
            return None
        seconds = time.monotonic() - since
        return (
            f"the broker has stored nothing for {seconds:.0f} s ({self._no_writes_reason}): "
            "no quorum, a full disk, or a lost store"
        )

    async def withdraw(self) -> None:
        """Delete the entry, so that a process that ends disappears at once."""
        with suppress(*BROKER_ERRORS):
            await self._js.publish(
                self._subject, b"", timeout=WITHDRAW_TIMEOUT_SECONDS, headers={"KV-Operation": "DEL"}
            )

    def _entry(self) -> dict[str, Any]:
        ready, dependencies = self._health.report()
        return self._identity | {
            "ready": ready,
            "dependencies": dependencies,
            "unreadable_events": _unreadable_events(),
            "facts": {name: value() for name, value in self._facts.items()},
        }


def _unreadable_events() -> int:
    samples = (sample for metric in UNREADABLE_EVENTS.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))
