"""The report of the whole system: services, SMTP server, log, unreadable events, and the findings of the checks."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from nats.aio.client import Client

from nightmail_api.read_model.database import DatabaseUnavailable
from nightmail_api.read_model.query_executor import QueryExecutor
from nightmail_api.read_model.read_model import ReadModel
from nightmail_api.system.services import (
    NAMES,
    Entries,
    check_run_groups,
    check_services,
    check_smtp,
    read_entries,
    service_json,
    smtp_json,
)
from nightmail_api.system.waiting import Waiting, check_waiting, read_waiting
from nightmail_common.broker.checks import (
    Check,
    LogInfo,
    backlog,
    check_lease,
    check_log,
    check_queue,
    check_skew,
    check_version,
    no_log,
    read_consumers,
    read_log_info,
)
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.streams import QUEUES
from nightmail_common.contract.envelope import iso_time
from nightmail_common.contract.errors import describe_error

#: A report is some ten requests to the broker: callers within this time share one.
SHARED_SECONDS = 1.0
#: A broker that does not answer is a finding, not a reason to wait.
BROKER_TIMEOUT_SECONDS = 5.0
_STATES = ("ok", "warning", "problem")


class SystemReport:
    """Makes the report. It answers without the broker and without the database too, and says so."""

    def __init__(self, client: Client, model: ReadModel, read: QueryExecutor) -> None:
        self._client = client
        self._js = client.jetstream()
        self._model = model
        self._read = read
        self._lock = asyncio.Lock()
        self._last: tuple[float, dict[str, Any]] | None = None

    async def __call__(self) -> dict[str, Any]:
        """Return the report, at most a second old."""
        async with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > SHARED_SECONDS:
                self._last = (time.monotonic(), await self._make())
            return self._last[1]

    async def _make(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        checks: list[Check] = []
        entries: Entries = {}
        backlogs: dict[str, int | None] = {"api": max(self._model.last - self._model.applied, 0)}
        log: LogInfo | None = None
        try:
            async with asyncio.timeout(BROKER_TIMEOUT_SECONDS):
                if self._client.is_connected:
                    log = await read_log_info(self._client)
                    if log is None:  # the entries of the services are lost with it
                        checks = [check_version(self._client), no_log()]
                    else:
                        entries = await read_entries(self._js)
                        checks = [check async for check in self._broker_checks(log, backlogs)]
                        checks += check_services(entries)
                else:  # nobody knows which services run
                    checks = [_no_broker("not connected")]
        except BROKER_ERRORS as error:  # a TimeoutError is an OSError
            checks = [_no_broker(f"no answer: {describe_error(error)}")]
        smtp = smtp_json(entries.get("mailer", []))
        for check in (check_run_groups(entries.get("runner", [])), check_smtp(smtp)):
            if check is not None:
                checks.append(check)
        checks.append(self._read_model_check())
        waiting = await self._waiting(now)
        if waiting is not None:
            checks += check_waiting(waiting, now)
        return {
            "state": max((check.state for check in checks), key=_STATES.index),
            "time": iso_time(now),
            "version": version("nightmail-api"),
            "services": [
                service_json(name, entries.get(name, []), backlogs.get(name))
                for name in dict.fromkeys((*NAMES, *entries))
            ],
            "smtp": smtp,
            "log": {
                "messages": None if log is None else log.messages,
                "bytes": None if log is None else int(log.answer["state"]["bytes"]),
                "last_sequence": self._model.last,
                "applied_sequence": self._model.applied,
            },
            "unreadable": {
                "count": 0 if waiting is None else waiting.unreadable,
                "items": [] if waiting is None else waiting.unreadable_items,
            },
            "checks": [asdict(check) for check in checks],
        }

    async def _broker_checks(self, log: LogInfo, backlogs: dict[str, int | None]) -> AsyncIterator[Check]:
        """Yield the findings about the broker, and set the backlog of each queue."""
        yield check_version(self._client)
        yield check_skew(log)
        for check in check_log(log):
            yield check
        consumers = await read_consumers(self._js)
        for queue in QUEUES:
            consumer = consumers.get(queue.durable)
            backlogs[queue.durable] = None if consumer is None else backlog(consumer)
            yield check_queue(queue, consumer, log.messages)
        yield await check_lease(self._js)

    def _read_model_check(self) -> Check:
        if (error := self._model.database_error()) is not None:
            fix = "start PostgreSQL, or free the disk of NIGHTMAIL_DATA_DIR; no event is lost, and it catches up by itself"
            return Check("read model", "problem", f"the database does not answer: {error}", fix)
        if (reason := self._model.reason_not_ready()) is not None:
            return Check("read model", "warning", reason, "wait until it has caught up; the log of the API has more")
        return Check("read model", "ok", f"up to date with event {self._model.applied}")

    async def _waiting(self, now: datetime) -> Waiting | None:
        try:
            return await self._read(read_waiting, now)
        except DatabaseUnavailable:  # the check of the read model says so
            return None


def _no_broker(detail: str) -> Check:
    return Check("nats", "problem", detail, "start the broker, or set NIGHTMAIL_NATS_URL (docs/operations.md)")
