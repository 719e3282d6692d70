"""The mailer: every outcome of a run becomes the mails that it should."""

import asyncio
from functools import partial

from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.streams import MAILED, MAILER_QUEUE, STREAKS
from nightmail_common.broker.work_queue import WorkQueue
from nightmail_common.service.service import Service, run_service
from nightmail_common.service.settings import load
from nightmail_mailer.compose.links import Links
from nightmail_mailer.compose.render import MailRenderer
from nightmail_mailer.delivery import MailDelivery
from nightmail_mailer.handler import DRAIN_SECONDS, HAND_BACK_SECONDS, SLOTS, MailHandler
from nightmail_mailer.metrics import observe_queue
from nightmail_mailer.records.delivery_ledger import DeliveryLedger
from nightmail_mailer.records.failure_streaks import FailureStreaks
from nightmail_mailer.records.unsubscribes import Unsubscribes
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.client import SmtpClient
from nightmail_mailer.smtp.pool import SmtpPool
from nightmail_mailer.workflow import MailWorkflow


def main() -> None:
    settings = load(MailerSettings)
    run_service("mailer", settings, partial(serve, settings))


async def serve(settings: MailerSettings, service: Service) -> None:
    """Send mails; after a stop, finish the mails that are on their way or hand them back."""
    pool = SmtpPool(settings)
    smtp = SmtpClient(pool, settings.smtp_from)
    service.health.add("smtp", lambda: pool.unreachable_reason)
    service.background(pool.run(), "SMTP pool")
    await service.connected()

    js, log = service.client.jetstream(), service.log
    unsubscribes = Unsubscribes(log)
    await unsubscribes.catch_up()
    service.background(unsubscribes.follow(), "unsubscribes")  # nobody who unsubscribed gets a mail
    delivery = MailDelivery(log, smtp, DeliveryLedger(await js.key_value(MAILED)))
    streaks = FailureStreaks(await js.key_value(STREAKS))
    renderer = MailRenderer(settings.smtp_from, _links(settings))
    workflow = MailWorkflow(
        ResultStore(js), log, delivery, streaks, unsubscribes, renderer, smtp, settings.max_attachment_bytes
    )
    queue = WorkQueue(service.client, MAILER_QUEUE, SLOTS, DRAIN_SECONDS + HAND_BACK_SECONDS)
    queue.subscriber()(MailHandler(queue, workflow).handle)
    await queue.start()
    service.health.add("queue", queue.reason_not_ready)
    service.background(queue.poll_depth(observe_queue), "queue depth")
    await service.until_stopped()

    # While the SMTP server is away nothing can be finished.
    drain_seconds = DRAIN_SECONDS if pool.unreachable_reason is None else 0.0
    asyncio.get_running_loop().call_later(drain_seconds, queue.shutdown)
    await queue.stop()
    await pool.close()


def _links(settings: MailerSettings) -> Links | None:
    if settings.public_url is None or settings.secret_key is None:
        return None
    return Links(settings.public_url, settings.secret_key.get_secret_value(), settings.result_retention)
