"""Builds the parts of the mailer from its settings and its connection."""

from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.streams import MAILED, STREAKS
from nightmail_common.service.service import Service
from nightmail_mailer.bounces.imap_mailbox import ImapMailbox
from nightmail_mailer.bounces.mailbox import Mailbox
from nightmail_mailer.bounces.maildir import Maildir
from nightmail_mailer.bounces.reader import BounceReader
from nightmail_mailer.compose.links import Links
from nightmail_mailer.compose.render import MailRenderer
from nightmail_mailer.delivery import MailDelivery
from nightmail_mailer.notices import Notices
from nightmail_mailer.operator_mails import OperatorMails
from nightmail_mailer.owner_warnings import OwnerWarnings
from nightmail_mailer.records.claims import Claims
from nightmail_mailer.records.delivery_ledger import DeliveryLedger
from nightmail_mailer.records.failure_streaks import FailureStreaks
from nightmail_mailer.records.log_record import Unsubscribes, bounced_recipients, deleted_jobs
from nightmail_mailer.result_mails import ResultMails
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.client import SmtpClient
from nightmail_mailer.smtp.pool import SmtpPool
from nightmail_mailer.workflow import MailWorkflow


async def build_workflow(settings: MailerSettings, service: Service, pool: SmtpPool, smtp: SmtpClient) -> MailWorkflow:
    """Return the workflow, which knows every unsubscribe in the log and follows the further ones."""
    js, log = service.client.jetstream(), service.log
    unsubscribes, deleted = Unsubscribes(log), deleted_jobs(log)
    await unsubscribes.begin(service)  # nobody who unsubscribed gets a mail
    await deleted.begin(service)
    mailed = await js.key_value(MAILED)
    notices = Notices(smtp, Claims(mailed))
    service.background(notices.run(), "notices")
    operator = None
    if settings.operator_email is not None:
        operator = OperatorMails(settings.operator_email, notices)
        service.background(operator.watch(pool), "watch of held mail")
    key = None if settings.secret_key is None else settings.secret_key.get_secret_value()
    bounce_key = None
    if (mailbox := _bounce_mailbox(settings)) is not None and key is not None:
        bounce_key = key
        bounced = bounced_recipients(log)
        await bounced.begin(service)
        owners = OwnerWarnings(log, notices, unsubscribes, bounced)
        service.background(BounceReader(mailbox, key, log, mailed, owners, operator).run(), "bounces")
    renderer = MailRenderer(settings.smtp_from, build_links(settings), bounce_key)
    return MailWorkflow(
        build_result_mails(
            settings, service, renderer, smtp, "NIGHTMAIL_PUBLIC_URL would let mails link to large results"
        ),
        log,
        MailDelivery(log, smtp, DeliveryLedger(mailed), deleted, operator),
        FailureStreaks(await js.key_value(STREAKS)),
        unsubscribes,
        renderer,
    )


def build_result_mails(
    settings: MailerSettings, service: Service, renderer: MailRenderer, smtp: SmtpClient, advice: str
) -> ResultMails:
    results = ResultStore(service.client.jetstream())
    return ResultMails(results, renderer, smtp, settings.max_attachment_bytes, advice)


def _bounce_mailbox(settings: MailerSettings) -> Mailbox | None:
    if settings.bounce_imap_url is not None:
        return ImapMailbox(settings)
    return None if settings.bounce_maildir is None else Maildir(settings.bounce_maildir)


def build_links(settings: MailerSettings) -> Links | None:
    """Return what makes the links of mails; None if recipients cannot reach the API."""
    if settings.public_url is None or settings.secret_key is None:
        return None
    return Links(settings.public_url, settings.secret_key.get_secret_value(), settings.result_retention)
