"""What one mail is about and who gets it."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from nightmail_common.contract.events import MailKind
from nightmail_common.contract.job import Job


@dataclass(frozen=True)
class MailJob:
    """One kind of mail of one run to some recipients. `request_id` is set when a user asked to send it again."""

    job: Job
    run_id: UUID
    kind: MailKind
    recipients: tuple[str, ...]
    request_id: UUID | None = None

    def message_id(self, domain: str) -> str:
        """Return the Message-ID: the same at every attempt and from every mailer, so that a duplicate can be recognised.

        A mail that is sent again on request has its own: mailboxes hide a second mail with the Message-ID of the first.

        Args:
            domain: the sender's. The host's name is private and differs between mailers.
        """
        if self.request_id is None:
            return f"<{self.run_id}.{self.kind}@{domain}>"
        return f"<{uuid5(self.run_id, f'{self.kind}.{self.request_id}')}.{self.kind}@{domain}>"
