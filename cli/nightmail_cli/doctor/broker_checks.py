"""Checks of the broker for `nightmail doctor`, over a NATS connection and a server's monitoring port."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import nats.errors
from nats.aio.client import Client

from nightmail_cli.connect import BrokerUnreachable, connected
from nightmail_cli.doctor.machine_checks import format_bytes
from nightmail_common.broker.checks import (
    Check,
    check_lease,
    check_log,
    check_queue,
    check_skew,
    check_version,
    no_log,
    read_consumers,
    read_log_info,
)
from nightmail_common.broker.ordered_consumer import OrderedConsumer
from nightmail_common.broker.streams import QUEUES
from nightmail_common.contract.envelope import AHEAD_TOLERANCE, DUE_HEADER
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import RunRequested
from nightmail_common.contract.subjects import events_named
from nightmail_common.service.settings import ServiceSettings

HTTP_SECONDS = 3.0
#: Above this share of its storage limit the log is about to refuse events.
STORAGE_SHARE = 0.9
#: So far back a clock that was ahead is reported.
CLOCK_HISTORY = timedelta(days=1)


async def broker(settings: ServiceSettings) -> AsyncIterator[Check]:
    """Check the broker, the log and the consumers."""
    try:
        async with connected(settings, "nightmail-doctor") as client:
            yield check_version(client)
            async for check in _jetstream(client):
                yield check
    except BrokerUnreachable as error:
        fix = "start it, or set NIGHTMAIL_NATS_URL and the credentials (docs/operations.md)"
        yield Check("nats", "problem", str(error), fix)
    except (nats.errors.Error, OSError) as error:
        fix = "give this user the permissions of the auditor (nightmail nats-config), or read the server's log"
        yield Check("jetstream", "problem", f"no answer: {describe_error(error)}", fix)


async def _jetstream(client: Client) -> AsyncIterator[Check]:
    js = client.jetstream()
    account = await js.account_info()
    yield _storage(account.storage, account.limits.max_storage)
    info = await read_log_info(client)
    if info is None:
        yield no_log()
        return
    yield check_skew(info)
    if (check := await _clock_history(client)) is not None:
        yield check
    for check in check_log(info):
        yield check
    consumers = await read_consumers(js)
    for queue in QUEUES:
        yield check_queue(queue, consumers.get(queue.durable), info.messages)
    yield await check_lease(js)


def _storage(used: int, limit: int) -> Check:
    if limit > 0 and used > STORAGE_SHARE * limit:
        detail = f"{format_bytes(used)} of {format_bytes(limit)} used"
        return Check("jetstream", "problem", detail, "raise max_file_store: at its limit the log refuses every event")
    return Check(
        "jetstream", "ok", f"{format_bytes(used)} stored" + (f" of {format_bytes(limit)}" if limit > 0 else "")
    )


async def _clock_history(client: Client) -> Check | None:
    """Check whether the clock was ahead in the last day: due times to come that were fired, and events dated backwards."""
    now = datetime.now(UTC)
    ahead, set_back, before = 0, timedelta(), None
    # The event log itself would take longer to import, and with it what services count for Prometheus.
    events = OrderedConsumer(
        client, (events_named(RunRequested.name),), 0, now - CLOCK_HISTORY, last_per_subject=False, headers_only=True
    )
    async for batch in events.batches(end_when_idle=True):
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


def monitored(url: str) -> Iterator[Check]:
    """Check one nats-server over its monitoring port: `sync_interval`, which no client can read."""
    import httpx  # only for the monitoring port

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
