"""The mailer: every outcome of a run becomes the mails that it should."""

import asyncio
from functools import partial

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from nats.aio.client import Client
from nats.js.api import ConsumerConfig

from nightmail_common import streams
from nightmail_common.connection import connect
from nightmail_common.events import ResultReady, RunFailed
from nightmail_common.health import Health
from nightmail_common.http_server import serve_http
from nightmail_common.log import EventLog
from nightmail_common.service import run_service
from nightmail_common.settings import load
from nightmail_common.streams import MAILED, RESULTS, STREAM
from nightmail_common.subjects import events_named
from nightmail_mailer.deliver import Delivery
from nightmail_mailer.sent import Sent
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp import MAX_CONNECTIONS, Smtp

NAME = "mailer"
#: A mailer that died is noticed after so long without a heartbeat; its events are then delivered to another.
ACK_WAIT_SECONDS = 20.0
PULL_SECONDS = 2.0


class Broker(NatsBroker):
    """FastStream on the connection that the service has."""

    def __init__(self, client: Client) -> None:
        super().__init__(logger=None, apply_types=False)
        self._client = client

    async def _connect(self) -> Client:
        self.config.connect(self._client)
        return self._client


def main() -> None:
    settings = load(MailerSettings)
    run_service(NAME, settings, partial(serve, settings))


async def serve(settings: MailerSettings, stop: asyncio.Event) -> None:
    """Mail until told to stop; then finish the mails that are on their way."""
    health = Health()
    smtp = Smtp(settings)
    async with serve_http(health, settings.health_host, settings.health_port):
        health.add("smtp", smtp.why_not_ready)
        health.add("nats", lambda: "not connected yet")
        connecting = asyncio.create_task(_connect(settings))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            connecting.cancel()
            return
        client = connecting.result()
        health.add_nats(client)
        await _mail(settings, client, smtp, stop)
        await smtp.close()
        await client.close()


async def _connect(settings: MailerSettings) -> Client:
    client = await connect(settings, NAME)
    await streams.declare(client.jetstream(), settings.result_retention)
    return client


async def _mail(settings: MailerSettings, client: Client, smtp: Smtp, stop: asyncio.Event) -> None:
    js = client.jetstream()
    log = EventLog(client, NAME, settings.run_retention)
    sent = Sent(await js.key_value(MAILED))
    delivery = Delivery(log, smtp, sent, await js.object_store(RESULTS), settings.smtp_from)
    broker = Broker(client)
    for event, handler in ((ResultReady, delivery.take_result), (RunFailed, delivery.take_failure)):
        # A slot is a subscriber that pulls one message when it is free: nats-py's fetch of several waits for all.
        for _ in range(MAX_CONNECTIONS):
            broker.subscriber(
                events_named(event.name),
                stream=JStream(STREAM, declare=False),
                durable=f"{NAME}-{event.name}",
                pull_sub=PullSub(batch_size=1, timeout=PULL_SECONDS),
                ack_policy=AckPolicy.MANUAL,
                config=ConsumerConfig(ack_wait=ACK_WAIT_SECONDS),
                decoder=_undecoded,
            )(handler)
    await broker.start()
    watching = asyncio.create_task(smtp.watch())
    await stop.wait()
    watching.cancel()
    await broker.stop()


async def _undecoded(message: object) -> object:
    return message
