"""The mailer: every outcome of a run becomes the mails that it should."""

import asyncio
from functools import partial

from nats.aio.client import Client

from nightmail_common.broker import streams
from nightmail_common.broker.connection import connect
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.streams import MAILED, STREAKS
from nightmail_common.broker.work_queue import Broker, look_at_queue
from nightmail_common.service.health import Health
from nightmail_common.service.http_server import serve_http
from nightmail_common.service.service import run_service
from nightmail_common.service.settings import load
from nightmail_mailer.compose.links import Links
from nightmail_mailer.compose.render import MailRenderer
from nightmail_mailer.delivery import MailDelivery
from nightmail_mailer.handler import DRAIN_SECONDS, DURABLE, HAND_BACK_SECONDS, SLOTS, Consumer
from nightmail_mailer.metrics import observe_queue
from nightmail_mailer.records.delivery_ledger import DeliveryLedger
from nightmail_mailer.records.failure_streaks import FailureStreaks
from nightmail_mailer.records.unsubscribes import Unsubscribes
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.client import SmtpClient
from nightmail_mailer.smtp.pool import SmtpPool
from nightmail_mailer.workflow import MailWorkflow

NAME = "mailer"


def main() -> None:
    settings = load(MailerSettings)
    run_service(NAME, settings, partial(serve, settings))


async def serve(settings: MailerSettings, stop: asyncio.Event) -> None:
    """Mail until told to stop; then finish the mails that are on their way."""
    pool = SmtpPool(settings)
    health = Health()
    async with serve_http(health, settings.health_host, settings.health_port):
        health.add("smtp", lambda: pool.unreachable_reason)
        health.add("nats", lambda: "not connected yet")
        probing = asyncio.create_task(pool.run())
        connecting = asyncio.create_task(_connect(settings))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            connecting.cancel()
            return
        client = connecting.result()
        health.add_nats(client)
        await _mail(settings, client, pool, stop)
        probing.cancel()
        await pool.close()
        await client.close()


async def _connect(settings: MailerSettings) -> Client:
    client = await connect(settings, NAME, NAME)
    await streams.available(client.jetstream(), settings)
    return client


async def _mail(settings: MailerSettings, client: Client, pool: SmtpPool, stop: asyncio.Event) -> None:
    js = client.jetstream()
    smtp = SmtpClient(pool, settings.smtp_from)
    log = EventLog(client, NAME, settings.run_retention)
    unsubscribes = Unsubscribes(log)
    await unsubscribes.catch_up()
    following = asyncio.create_task(unsubscribes.follow())
    work = MailWorkflow(
        ResultStore(js),
        log,
        MailDelivery(log, smtp, DeliveryLedger(await js.key_value(MAILED))),
        FailureStreaks(await js.key_value(STREAKS)),
        unsubscribes,
        MailRenderer(settings.smtp_from, _links(settings)),
        smtp,
        settings.max_attachment_bytes,
    )
    consumer = Consumer(work)
    broker = Broker(client, DRAIN_SECONDS + HAND_BACK_SECONDS)
    consumer.queue.subscribe(broker, SLOTS)
    await broker.start()
    looking = asyncio.create_task(look_at_queue(js, DURABLE, observe_queue))
    # Who left must be known: without the follower the mailer goes, and its supervisor starts it anew.
    following.add_done_callback(lambda _: stop.set())
    await stop.wait()
    # First the reader: draining the connection would wait for it.
    following.cancel()
    looking.cancel()
    await asyncio.wait({following, looking})
    # While the server is away nothing can be finished.
    drain_seconds = DRAIN_SECONDS if pool.unreachable_reason is None else 0.0
    asyncio.get_running_loop().call_later(drain_seconds, consumer.queue.give_up)
    await consumer.queue.stop(broker)
    await broker.stop()


def _links(settings: MailerSettings) -> Links | None:
    if settings.public_url is None or settings.secret_key is None:
        return None
    return Links(settings.public_url, settings.secret_key.get_secret_value(), settings.result_retention)
