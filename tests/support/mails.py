"""Mails as a recipient's mail program parses them."""

import email
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default

from nightmail_common.contract.events import ResultReady
from nightmail_mailer.compose.attachment import Attachment
from nightmail_mailer.compose.links import Links
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer, RenderFor
from support.mailer_process import CSV

LINKS = Links("https://nightmail.example.com", "k" * 32, timedelta(days=30))
ATTACHED = Attachment(CSV)
RENDERER = MailRenderer("nightmail@example.com", LINKS)


def result_mail(event: ResultReady, content: bytes = CSV, attachment: Attachment | None = ATTACHED) -> RenderFor:
    mail_job = MailJob(event.job, event.run_id, "result", event.job.consumer_emails)
    return RENDERER.result(mail_job, event, content, [] if attachment is None else [attachment])


def parsed(render_for: RenderFor, recipient: str = "reports@example.com") -> EmailMessage:
    mail = email.message_from_bytes(render_for(recipient), policy=default)
    assert not mail.defects
    for name, value in mail.items():
        assert not value.defects, (name, value.defects)
    return mail


def text_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content
