"""The mailer: every outcome of a run becomes the mails that it should."""

from functools import partial

from nightmail_common.broker.streams import MAILER_QUEUE
from nightmail_common.broker.work_queue import WorkQueue
from nightmail_common.service.service import Service, run_service
from nightmail_common.service.settings import load
from nightmail_mailer.bootstrap import build_links, build_result_mails, build_workflow
from nightmail_mailer.compose.render import MailRenderer
from nightmail_mailer.handler import DRAIN_SECONDS, HAND_BACK_SECONDS, SLOTS, MailHandler
from nightmail_mailer.metrics import observe_queue
from nightmail_mailer.preview_mails import preview_mails
from nightmail_mailer.records.log_record import cancelled_runs
from nightmail_mailer.render_requests import RenderRequests
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.check_requests import smtp_checks
from nightmail_mailer.smtp.client import SmtpClient
from nightmail_mailer.smtp.pool import SmtpPool


def main() -> None:
    settings = load(MailerSettings)
    run_service("mailer", settings, partial(serve, settings))


async def serve(settings: MailerSettings, service: Service) -> None:
    """Send mails; after a stop, finish the sends in progress or hand their events back."""
    pool = SmtpPool(settings)
    service.health.add("smtp", lambda: pool.unreachable_reason)
    service.facts["smtp"] = lambda: {
        "server": f"{settings.smtp_host}:{settings.smtp_port}",
        "security": settings.smtp_security,
        "sender": settings.smtp_from,
        "catcher": pool.is_catcher,
    }
    service.background(pool.run(), "SMTP pool")
    await service.connected()
    smtp = SmtpClient(pool, settings.smtp_from)
    workflow = await build_workflow(settings, service, pool, smtp)
    queue = WorkQueue(service.client, MAILER_QUEUE, SLOTS, DRAIN_SECONDS + HAND_BACK_SECONDS)
    cancelled = cancelled_runs(service.log)
    await cancelled.begin(service)
    queue.subscribe(MailHandler(queue, workflow, cancelled).handle)
    await queue.start()
    service.health.add("queue", queue.reason_not_ready)
    renderings = RenderRequests(service.log, workflow, build_links(settings))
    # The mail of a dry run has no links: there is no run, and nobody subscribes to it.
    advice = "save the job and run it: the mail of a run links to a large result if NIGHTMAIL_PUBLIC_URL is set"
    once = build_result_mails(settings, service, MailRenderer(settings.smtp_from, None), smtp, advice)
    responders = [renderings.responder(), smtp_checks(settings), preview_mails(once, smtp)]
    for responder in responders:
        await responder.serve(service.client)
    service.background(queue.poll_depth(observe_queue), "queue depth")
    await service.until_stopped()

    for responder in responders:
        await responder.stop()
    # While the SMTP server is away nothing can be finished.
    await queue.stop(DRAIN_SECONDS if pool.unreachable_reason is None else 0.0)
    await pool.close()
