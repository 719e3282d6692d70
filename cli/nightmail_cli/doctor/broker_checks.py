"""What Nightmail needs of its broker, for `nightmail doctor`: what NATS itself says over a connection, or over HTTP."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import nats.errors
from nats.aio.client import Client
from nats.js.api import ConsumerInfo, StreamInfo
from nats.js.errors import KeyNotFoundError, NotFoundError

from nightmail_cli.connect import BrokerUnreachable, connected
from nightmail_cli.doctor.machine_checks import Check, in_words
from nightmail_common.broker.streams import DURABLES, LEASES, STREAM
from nightmail_common.service.settings import ServiceSettings

CONNECT_SECONDS = 5.0
HTTP_SECONDS = 3.0
#: Atomic batches and messages with a time to live (ADR-50, ADR-43).
LEAST_NATS = (2, 12)
#: An event with an inline CSV of 256 KiB, or with a job of 128 KiB, and its headers.
LEAST_PAYLOAD_BYTES = 1024**2
#: What a due time may be early or late by, beyond what the ticker itself is.
SKEW_SECONDS = 1.0
#: The ticker looks back so far for what it served; beyond it, a due time could be served twice.
TOO_MUCH_SKEW_SECONDS = 300.0
#: Above this share of its limit the log is about to refuse events.
STORAGE_SHARE = 0.9
LEASE_KEY = "ticker"

#: What the log must be, whoever edited it: field of the stream's configuration, value, and what goes wrong otherwise.
_LOG = {
    "subjects": (["jobs.>", "runs.>"], "events have nowhere to go"),
    "storage": ("file", "the log ends with the broker"),
    "retention": ("limits", "events go when somebody has read them"),
    "discard": ("new", "a full log forgets its oldest events"),
    "max_age": (0, "jobs are forgotten"),
    "allow_atomic": (True, "the ticker's batches are refused"),
    "allow_msg_ttl": (True, "events of runs are refused"),
    "duplicate_window": (3600.0, "a broker that is away for long lets a run be requested twice"),
}


async def broker(settings: ServiceSettings) -> AsyncIterator[Check]:
    """Look at the broker and at what is kept on it."""
    try:
        async with connected(settings, "nightmail-doctor") as client:
            yield _version(client)
            async for check in _jetstream(client):
                yield check
    except BrokerUnreachable as error:
        mend = "start it, or set NIGHTMAIL_NATS_URL and the credentials to where it is (docs/operations.md)"
        yield Check("nats", "problem", str(error), mend)
    except (nats.errors.Error, OSError) as error:
        mend = "give this user the rights of an auditor (nightmail nats-config), or look at the server's log"
        yield Check("jetstream", "problem", f"no answer: {error or type(error).__name__}", mend)


def _version(client: Client) -> Check:
    version = client.connected_server_version
    url = client.connected_url
    place = "" if url is None else f" at {url.hostname}:{url.port}"
    detail = f"nats-server {version.major}.{version.minor}.{version.patch}{place}"
    if (version.major, version.minor) < LEAST_NATS:
        return Check("nats", "problem", detail, "upgrade nats-server to 2.12 or newer: the log needs atomic batches")
    if client.max_payload < LEAST_PAYLOAD_BYTES:
        return Check("nats", "problem", f"{detail}: max_payload {client.max_payload}", "set max_payload: 1MB")
    return Check("nats", "ok", detail)


async def _jetstream(client: Client) -> AsyncIterator[Check]:
    js = client.jetstream()
    account = await js.account_info()
    yield _storage(account.storage, account.limits.max_storage)
    answer = await _log_as_it_is(client)
    if "error" in answer:
        yield Check("log", "warning", f"there is no stream {STREAM} yet", "start a service: it makes the stream")
        return
    yield _skew(answer)
    for check in _log(answer["config"], answer.get("cluster") or {}):
        yield check
    info = await js.stream_info(STREAM)
    # One by one: an auditor may not list them, for who knows a reader's name could read in its stead.
    for durable in DURABLES:
        consumer = None
        with suppress(NotFoundError):
            consumer = await js.consumer_info(STREAM, durable)
        yield _consumer(consumer, durable, info)
    yield await _lease(client)


def _storage(used: int, limit: int) -> Check:
    if limit > 0 and used > STORAGE_SHARE * limit:
        detail = f"{in_words(used)} of {in_words(limit)} used"
        return Check("jetstream", "problem", detail, "raise max_file_store: at its limit the log refuses every event")
    return Check("jetstream", "ok", f"{in_words(used)} kept" + (f" of {in_words(limit)}" if limit > 0 else ""))


async def _log_as_it_is(client: Client) -> dict[str, Any]:
    # The client library's own answer leaves out when the broker gave it.
    asked = datetime.now(UTC)
    reply = await client.request(f"$JS.API.STREAM.INFO.{STREAM}", b"", timeout=CONNECT_SECONDS)
    answer: dict[str, Any] = json.loads(reply.data)
    answer["asked"] = asked + (datetime.now(UTC) - asked) / 2
    return answer


def _skew(answer: dict[str, Any]) -> Check:
    seconds = (datetime.fromisoformat(answer["ts"]) - answer["asked"]).total_seconds()
    detail = f"this machine is {abs(seconds):.3f} s {'behind' if seconds > 0 else 'ahead of'} the broker"
    mend = "synchronise the clocks of all machines (chrony, systemd-timesyncd): due times and events must agree"
    if abs(seconds) > TOO_MUCH_SKEW_SECONDS:
        return Check("clock", "problem", detail, mend)
    return Check("clock", "warning", detail, mend) if abs(seconds) > SKEW_SECONDS else Check("clock", "ok", detail)


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
        mend = "restart any service: it sets the stream as it must be; then find out who changed it"
        yield Check("log", "problem", "; ".join(wrong), mend)
    else:
        yield Check("log", "ok", f"stream {STREAM} as declared, {replicas} replica{'s'[: replicas > 1]}")
    if behind := [peer["name"] for peer in cluster.get("replicas") or [] if not peer.get("current")]:
        mend = "look at those servers: with one more gone, nothing can be stored"
        yield Check("replicas", "problem", f"not current: {', '.join(behind)}", mend)
    elif cluster.get("name") and replicas == 1:
        mend = "keep the log on three servers (deploy/cluster)"
        yield Check("replicas", "problem", "a cluster, and the log is on one server of it", mend)


def _consumer(consumer: ConsumerInfo | None, name: str, info: StreamInfo) -> Check:
    if consumer is None:
        state = f"no {name} was ever here"
        return Check(f"{name}s", "warning" if info.state.messages else "ok", state, f"start a {name}")
    waiting = (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)
    detail = f"{waiting} events waiting or at work"
    if consumer.config.max_deliver not in {None, -1}:
        mend = f"delete the consumer {name}: its service makes it anew"
        return Check(f"{name}s", "problem", f"max_deliver is {consumer.config.max_deliver}: runs may never end", mend)
    if not consumer.num_waiting and not consumer.num_ack_pending and consumer.num_pending:
        return Check(
            f"{name}s", "problem", f"{detail}, nobody takes them", f"start a {name}, or look why none is ready"
        )
    return Check(f"{name}s", "ok", detail)


async def _lease(client: Client) -> Check:
    mend = "start a ticker, or look why none is ready: nothing fires"
    try:
        await (await client.jetstream().key_value(LEASES)).get(LEASE_KEY)
    except KeyNotFoundError:
        return Check("ticker", "problem", "no ticker leads", mend)
    except NotFoundError:
        return Check("ticker", "problem", "no ticker was ever here", mend)
    return Check("ticker", "ok", "one leads")


def monitored(url: str) -> Iterator[Check]:
    """Look at one nats-server over its monitoring port: what no client may see."""
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
        mend = "set jetstream { sync_interval: always }: what is acknowledged may be lost when power fails"
        yield Check(name, "problem", f"syncs every {config.get('sync_interval', 0) / 1e9:.0f} s", mend)
