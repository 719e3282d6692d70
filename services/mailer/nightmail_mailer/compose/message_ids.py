"""The Message-ID of a mail: the same at every try and from every mailer, so that a duplicate can be recognised."""

from uuid import UUID, uuid5

from nightmail_common.contract.events import MailKind

#: Not the host's name, which is nobody's business and differs between mailers (RFC 2606).
DOMAIN = "nightmail.invalid"


def message_id(run_id: UUID, kind: MailKind, request_id: UUID | None = None) -> str:
    """Return the Message-ID of a run's mail.

    A mail that somebody wants again has one of its own: mailboxes hide a second mail with the first one's.
    """
    if request_id is None:
        return f"<{run_id}.{kind}@{DOMAIN}>"
    return f"<{uuid5(run_id, f'{kind}.{request_id}')}.{kind}@{DOMAIN}>"
