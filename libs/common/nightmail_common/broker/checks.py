"""Checks of the broker: its version, its clock, the log's configuration, the durable consumers, the ticker's lease.

`nightmail doctor` and `GET /system` show them.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import APIError, KeyNotFoundError, NotFoundError

from nightmail_common.broker.streams import LEASE_KEY, LEASES, QUEUES, STREAM, STREAM_NOT_FOUND, Queue

State = Literal["ok", "warning", "problem"]

ANSWER_SECONDS = 5.0
#: Atomic batches and messages with a time to live (ADR-50, ADR-43).
MIN_NATS_VERSION = (2, 12)
#: An event with an inline CSV of 256 KiB, or with a job of 128 KiB, and its headers.
MIN_PAYLOAD_BYTES = 1024**2
#: Clock skew makes due times early or late by as much.
SKEW_SECONDS = 1.0
#: The ticker searches the log this far back for served due times; beyond it, one could be served twice.
MAX_SKEW_SECONDS = 300.0

#: The required configuration of the log: field, value, and the consequence of another value.
_LOG = {
    "subjects": (["jobs.>", "runs.>"], "events are refused"),
    "storage": ("file", "the log is lost when the broker restarts"),
    "retention": ("limits", "events are deleted when a consumer acknowledges them"),
    "discard": ("new", "a full log deletes its oldest events"),
    "max_age": (0, "jobs are deleted with their events"),
    "allow_atomic": (True, "the ticker's batches are refused"),
    "allow_msg_ttl": (True, "events of runs are refused"),
    "duplicate_window": (3600.0, "after a long broker outage a run may be requested twice"),
}


@dataclass(frozen=True)
class Check:
    """The result of one check. `fix` says how to fix it, None if the state is `ok`."""

    name: str
    state: State
    detail: str
    fix: str | None = None


@dataclass(frozen=True)
class LogInfo:
    """JetStream's description of the log, with the broker's time and this machine's time of the answer."""

    answer: dict[str, Any]
    broker_time: datetime
    local_time: datetime

    @property
    def messages(self) -> int:
        return int(self.answer["state"]["messages"])


async def read_log_info(client: Client) -> LogInfo | None:
    """Return what JetStream says about the log; None if there is none.

    Raises:
        nats.errors.Error: JetStream does not answer.
    """
    # nats-py's stream_info drops the broker's time stamp `ts`.
    asked = datetime.now(UTC)
    reply = await client.request(f"$JS.API.STREAM.INFO.{STREAM}", b"", timeout=ANSWER_SECONDS)
    answer: dict[str, Any] = json.loads(reply.data)
    if (error := answer.get("error")) is not None:
        if error.get("err_code") == STREAM_NOT_FOUND:
            return None
        APIError.from_error(error)  # raises it
    return LogInfo(answer, datetime.fromisoformat(answer["ts"]), asked + (datetime.now(UTC) - asked) / 2)


def no_log() -> Check:
    """Return the finding that there is no log."""
    fix = (
        "if there was one, the broker has lost its store: restore a backup (docs/operations.md); "
        "else restart the API, which creates an empty log"
    )
    return Check("log", "problem", f"there is no stream {STREAM}", fix)


async def read_consumers(js: JetStreamContext) -> dict[str, ConsumerInfo]:
    """Return the durable consumers that exist, by name.

    One by one: the auditor may not list consumers, because the name of an ephemeral one lets its reader be replaced.
    """
    consumers = {}
    for queue in QUEUES:
        with suppress(NotFoundError):
            consumers[queue.durable] = await js.consumer_info(STREAM, queue.durable)
    return consumers


def backlog(consumer: ConsumerInfo) -> int:
    """Return the number of events that wait or are in progress."""
    return (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)


def check_version(client: Client) -> Check:
    version = client.connected_server_version
    url = client.connected_url
    place = "" if url is None else f" at {url.hostname}:{url.port}"
    detail = f"nats-server {version.major}.{version.minor}.{version.patch}{place}"
    if (version.major, version.minor) < MIN_NATS_VERSION:
        return Check("nats", "problem", detail, "upgrade nats-server to 2.12 or newer: the log needs atomic batches")
    if client.max_payload < MIN_PAYLOAD_BYTES:
        return Check("nats", "problem", f"{detail}: max_payload {client.max_payload}", "set max_payload: 1MB")
    return Check("nats", "ok", detail)


def check_skew(info: LogInfo) -> Check:
    seconds = (info.broker_time - info.local_time).total_seconds()
    detail = f"this machine is {abs(seconds):.3f} s {'behind' if seconds > 0 else 'ahead of'} the broker"
    fix = "synchronise the clocks of all machines (chrony, systemd-timesyncd): due times and events must agree"
    if abs(seconds) > MAX_SKEW_SECONDS:
        return Check("clock", "problem", detail, fix)
    return Check("clock", "warning", detail, fix) if abs(seconds) > SKEW_SECONDS else Check("clock", "ok", detail)


def check_log(info: LogInfo) -> Iterator[Check]:
    """Check the stream's configuration and its replicas."""
    config, cluster = info.answer["config"], info.answer.get("cluster") or {}
    wrong = []
    for field, (wanted, consequence) in _LOG.items():
        value = config.get(field)
        if field == "duplicate_window" and value is not None:
            value /= 1e9  # nanoseconds
        if value != wanted:
            wrong.append(f"{field} is {value}: {consequence}")
    replicas = config.get("num_replicas", 1)
    if wrong:
        fix = "restart the API: it restores the stream's configuration; then find out who changed it"
        yield Check("log", "problem", "; ".join(wrong), fix)
    else:
        yield Check("log", "ok", f"stream {STREAM} as declared, {replicas} replica{'s'[: replicas > 1]}")
    if behind := [peer["name"] for peer in cluster.get("replicas") or [] if not peer.get("current")]:
        fix = "check those servers: if one more fails, nothing can be stored"
        yield Check("replicas", "problem", f"not current: {', '.join(behind)}", fix)
    elif cluster.get("name") and replicas == 1:
        fix = "keep the log on three servers (deploy/cluster)"
        yield Check("replicas", "problem", "the log is on one server of a cluster", fix)


def check_queue(queue: Queue, consumer: ConsumerInfo | None, messages: int) -> Check:
    """Check a durable consumer: that a process pulls from it, and its configuration.

    Args:
        messages: how many events the log has.
    """
    name, title = queue.durable, f"{queue.durable}s"
    if consumer is None:
        state = f"no {name} has ever connected"
        return Check(title, "warning" if messages else "ok", state, f"start a {name}" if messages else None)
    waiting = f"{backlog(consumer)} events waiting or in progress"
    if not consumer.num_waiting and not consumer.num_ack_pending and consumer.num_pending:
        fix = f"start a {name}, or find out why none is ready"
        return Check(title, "problem", f"{waiting}, and no {name} pulls them", fix)
    if differing := queue.differing(consumer.config):
        detail = f"the durable consumer has another {', '.join(differing)}: runs or mails may never end"
        return Check(title, "problem", detail, f"start a {name}: it restores the configuration of the consumer")
    return Check(title, "ok", waiting)


async def check_lease(js: JetStreamContext) -> Check:
    """Check whether a ticker leads."""
    fix = "start a ticker, or find out why none is ready: no job fires"
    try:
        await (await js.key_value(LEASES)).get(LEASE_KEY)
    except KeyNotFoundError:
        return Check("ticker", "problem", "no ticker leads", fix)
    except NotFoundError:
        return Check("ticker", "problem", "no ticker has ever led", fix)
    return Check("ticker", "ok", "one leads")
