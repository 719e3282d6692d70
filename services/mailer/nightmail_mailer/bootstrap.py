"""Builds the parts of the mailer from its settings and its connection."""

from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.streams import MAILED, STREAKS
from nightmail_common.service.service import Service
from nightmail_mailer.bounces.reader import BounceReader
from nightmail_mailer.compose.links import Links
from nightmail_mailer.compose.render import MailRenderer
from nightmail_mailer.delivery import MailDelivery
from nightmail_mailer.operator_mails import OperatorMails
from nightmail_mailer.records.deleted_jobs import DeletedJobs
from nightmail_mailer.records.delivery_ledger import DeliveryLedger
from nightmail_mailer.records.failure_streaks import FailureStreaks
from nightmail_mailer.records.unsubscribes import Unsubscribes
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.client import SmtpClient
from nightmail_mailer.smtp.pool import SmtpPool
from nightmail_mailer.workflow import MailWorkflow


async def build_workflow(settings: MailerSettings, service: Service, pool: SmtpPool) -> MailWorkflow:
    """Return the workflow, which knows every unsubscribe in the log and follows the further ones."""
    js, log = service.client.jetstream(), service.log
    unsubscribes = Unsubscribes(log)
    await unsubscribes.catch_up()
    service.background(unsubscribes.follow(), "unsubscribes")  # nobody who unsubscribed gets a mail
    deleted_jobs = DeletedJobs(log)
    await deleted_jobs.catch_up()
    service.background(deleted_jobs.follow(), "deleted jobs")
    smtp = SmtpClient(pool, settings.smtp_from)
    mailed = await js.key_value(MAILED)
    operator = None
    if settings.operator_email is not None:
        operator = OperatorMails(settings.operator_email, smtp, mailed)
        service.background(operator.watch(pool), "watch of held mail")
        service.background(operator.run(), "mails to the operator")
    key = None if settings.secret_key is None else settings.secret_key.get_secret_value()
    bounce_key = None
    if settings.bounce_maildir is not None and key is not None:
        bounce_key = key
        bounces = BounceReader(settings.bounce_maildir, key, log, mailed, operator)
        service.background(bounces.run(), "bounces")
    return MailWorkflow(
        ResultStore(js),
        log,
        MailDelivery(log, smtp, DeliveryLedger(mailed), deleted_jobs, operator),
        FailureStreaks(await js.key_value(STREAKS)),
        unsubscribes,
        MailRenderer(settings.smtp_from, _links(settings), bounce_key),
        smtp,
        settings.max_attachment_bytes,
    )


def _links(settings: MailerSettings) -> Links | None:
    if settings.public_url is None or settings.secret_key is None:
        return None
    return Links(settings.public_url, settings.secret_key.get_secret_value(), settings.result_retention)
