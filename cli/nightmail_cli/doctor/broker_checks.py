"""Checks of the broker for `nightmail doctor`, over a NATS connection and a server's monitoring port."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import nats.errors
from nats.aio.client import Client
from nats.js.api import ConsumerInfo, StreamInfo
from nats.js.errors import KeyNotFoundError, NotFoundError

from nightmail_cli.connect import BrokerUnreachable, connected
from nightmail_cli.doctor.machine_checks import Check, format_bytes
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import DURABLES, LEASES, STREAM
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.subjects import events_named
from nightmail_common.service.settings import ServiceSettings
from nightmail_ticker.plan import AHEAD_TOLERANCE
from nightmail_ticker.runs import DUE_HEADER, REQUESTED

CONNECT_SECONDS = 5.0
HTTP_SECONDS = 3.0
#: Atomic batches and messages with a time to live (ADR-50, ADR-43).
MIN_NATS_VERSION = (2, 12)
#: An event with an inline CSV of 256 KiB, or with a job of 128 KiB, and its headers.
MIN_PAYLOAD_BYTES = 1024**2
#: Clock skew makes due times early or late by as much.
SKEW_SECONDS = 1.0
#: The ticker searches the log this far back for served due times; beyond it, one could be served twice.
MAX_SKEW_SECONDS = 300.0
#: Above this share of its storage limit the log is about to refuse events.
STORAGE_SHARE = 0.9
#: So far back a clock that was ahead is reported.
CLOCK_HISTORY = timedelta(days=1)
LEASE_KEY = "ticker"

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


async def broker(settings: ServiceSettings) -> AsyncIterator[Check]:
    """Check the broker, the log and the consumers."""
    try:
        async with connected(settings, "nightmail-doctor") as client:
            yield _version(client)
            async for check in _jetstream(client):
                yield check
    except BrokerUnreachable as error:
        fix = "start it, or set NIGHTMAIL_NATS_URL and the credentials (docs/operations.md)"
        yield Check("nats", "problem", str(error), fix)
    except (nats.errors.Error, OSError) as error:
        fix = "give this user the permissions of the auditor (nightmail nats-config), or read the server's log"
        yield Check("jetstream", "problem", f"no answer: {describe_error(error)}", fix)


def _version(client: Client) -> Check:
    version = client.connected_server_version
    url = client.connected_url
    place = "" if url is None else f" at {url.hostname}:{url.port}"
    detail = f"nats-server {version.major}.{version.minor}.{version.patch}{place}"
    if (version.major, version.minor) < MIN_NATS_VERSION:
        return Check("nats", "problem", detail, "upgrade nats-server to 2.12 or newer: the log needs atomic batches")
    if client.max_payload < MIN_PAYLOAD_BYTES:
        return Check("nats", "problem", f"{detail}: max_payload {client.max_payload}", "set max_payload: 1MB")
    return Check("nats", "ok", detail)


async def _jetstream(client: Client) -> AsyncIterator[Check]:
    js = client.jetstream()
    account = await js.account_info()
    yield _storage(account.storage, account.limits.max_storage)
    answer = await _stream_info(client)
    if "error" in answer:
        yield Check("log", "warning", f"there is no stream {STREAM} yet", "start the API: it creates the stream")
        return
    yield _skew(answer)
    if (check := await _clock_history(client)) is not None:
        yield check
    for check in _log(answer["config"], answer.get("cluster") or {}):
        yield check
    info = await js.stream_info(STREAM)
    # One by one: the auditor may not list consumers, because the name of an ephemeral one lets its reader be replaced.
    for durable in DURABLES:
        consumer = None
        with suppress(NotFoundError):
            consumer = await js.consumer_info(STREAM, durable)
        yield _consumer(consumer, durable, info)
    yield await _lease(client)


def _storage(used: int, limit: int) -> Check:
    if limit > 0 and used > STORAGE_SHARE * limit:
        detail = f"{format_bytes(used)} of {format_bytes(limit)} used"
        return Check("jetstream", "problem", detail, "raise max_file_store: at its limit the log refuses every event")
    return Check(
        "jetstream", "ok", f"{format_bytes(used)} stored" + (f" of {format_bytes(limit)}" if limit > 0 else "")
    )


async def _stream_info(client: Client) -> dict[str, Any]:
    # nats-py's stream_info drops the broker's time stamp `ts`.
    asked = datetime.now(UTC)
    reply = await client.request(f"$JS.API.STREAM.INFO.{STREAM}", b"", timeout=CONNECT_SECONDS)
    answer: dict[str, Any] = json.loads(reply.data)
    answer["asked"] = asked + (datetime.now(UTC) - asked) / 2
    return answer


def _skew(answer: dict[str, Any]) -> Check:
    seconds = (datetime.fromisoformat(answer["ts"]) - answer["asked"]).total_seconds()
    detail = f"this machine is {abs(seconds):.3f} s {'behind' if seconds > 0 else 'ahead of'} the broker"
    fix = "synchronise the clocks of all machines (chrony, systemd-timesyncd): due times and events must agree"
    if abs(seconds) > MAX_SKEW_SECONDS:
        return Check("clock", "problem", detail, fix)
    return Check("clock", "warning", detail, fix) if abs(seconds) > SKEW_SECONDS else Check("clock", "ok", detail)


async def _clock_history(client: Client) -> Check | None:
    """Check whether the clock was ahead in the last day: due times to come that were fired, and events dated backwards."""
    now = datetime.now(UTC)
    ahead, set_back, before = 0, timedelta(), None
    events = EventLog(client, "doctor", CLOCK_HISTORY).replay(
        (events_named(REQUESTED),), headers_only=True, since=now - CLOCK_HISTORY
    )
    async for batch in events:
        for stored in batch:
            due = stored.headers.get(DUE_HEADER, "").partition(" ")[0]
            ahead += bool(due) and datetime.fromisoformat(due) > now + AHEAD_TOLERANCE
            set_back = max(set_back, (before or stored.time) - stored.time)
            before = stored.time
    if not ahead and set_back <= AHEAD_TOLERANCE:
        return None
    detail = f"the clock was ahead: {ahead} due times to come were fired already"
    if set_back > AHEAD_TOLERANCE:
        detail += f", and the clock was set back by {set_back.total_seconds() / 60:.0f} min"
    fix = "synchronise the clock (chrony, systemd-timesyncd); check the runs of that time, which are not repeated"
    return Check("clock history", "warning", detail, fix)


def _log(config: dict[str, Any], cluster: dict[str, Any]) -> Iterator[Check]:
    nanoseconds = {"duplicate_window"}
    wrong = []
    for field, (wanted, consequence) in _LOG.items():
        value = config.get(field)
        if field in nanoseconds and value is not None:
            value /= 1e9
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


def _consumer(consumer: ConsumerInfo | None, name: str, info: StreamInfo) -> Check:
    if consumer is None:
        state = f"no {name} has ever connected"
        return Check(f"{name}s", "warning" if info.state.messages else "ok", state, f"start a {name}")
    waiting = (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)
    detail = f"{waiting} events waiting or in progress"
    if consumer.config.max_deliver not in {None, -1}:
        fix = f"delete the consumer {name}: its service creates it again"
        return Check(f"{name}s", "problem", f"max_deliver is {consumer.config.max_deliver}: runs may never end", fix)
    if not consumer.num_waiting and not consumer.num_ack_pending and consumer.num_pending:
        return Check(
            f"{name}s",
            "problem",
            f"{detail}, and no {name} pulls them",
            f"start a {name}, or find out why none is ready",
        )
    return Check(f"{name}s", "ok", detail)


async def _lease(client: Client) -> Check:
    fix = "start a ticker, or find out why none is ready: no job fires"
    try:
        await (await client.jetstream().key_value(LEASES)).get(LEASE_KEY)
    except KeyNotFoundError:
        return Check("ticker", "problem", "no ticker leads", fix)
    except NotFoundError:
        return Check("ticker", "problem", "no ticker has ever led", fix)
    return Check("ticker", "ok", "one leads")


def monitored(url: str) -> Iterator[Check]:
    """Check one nats-server over its monitoring port: `sync_interval`, which no client can read."""
    name = f"server {url}"
    try:
        answer = httpx.get(f"{url.rstrip('/')}/jsz", params={"config": "true"}, timeout=HTTP_SECONDS).raise_for_status()
        config = answer.json().get("config") or {}
    except (httpx.HTTPError, ValueError) as error:
        yield Check(name, "problem", f"no answer: {error}", "give the URL of its monitoring port: http://nats-0:8222")
        return
    if config.get("sync_always"):
        yield Check(name, "ok", "syncs every event to disk")
    else:
        fix = "set jetstream { sync_interval: always }: a power failure may lose acknowledged events"
        yield Check(name, "problem", f"syncs every {config.get('sync_interval', 0) / 1e9:.0f} s", fix)
