"""What one mail is about and who gets it."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from nightmail_common.contract.events import MailKind
from nightmail_common.contract.job import Job
from nightmail_common.contract.split import slice_id


@dataclass(frozen=True)
class MailJob:
    """One kind of mail of one run to some recipients.

    `request_id` is set when a user asked to send it again. `split_value` is set for the mail of a slice: its value.
    """

    job: Job
    run_id: UUID
    kind: MailKind
    recipients: tuple[str, ...]
    request_id: UUID | None = None
    split_value: str | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        """What distinguishes its outcome from that of every other mail of the run and kind."""
        parts = (self.split_value and slice_id(self.split_value), self.request_id and str(self.request_id))
        return tuple(part for part in parts if part)

    def message_id(self, domain: str) -> str:
        """Return the Message-ID: the same at every attempt and from every mailer, so that a duplicate can be recognised.

        The mail of a slice has its own, and so has one that is sent again on request: mailboxes hide a second mail with
        the Message-ID of the first.

        Args:
            domain: the sender's. The host's name is private and differs between mailers.
        """
        name = uuid5(self.run_id, ".".join((self.kind, *self.identity))) if self.identity else self.run_id
        return f"<{name}.{self.kind}@{domain}>"
