"""Recipients who unsubscribed from a job, as the log has them."""

from collections.abc import Iterable
from uuid import UUID

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import RecipientUnsubscribed
from nightmail_mailer.records.log_record import LogRecord


class Unsubscribes(LogRecord[RecipientUnsubscribed]):
    """The jobs of which each recipient wants no more mail."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(log, RecipientUnsubscribed, "unsubscribes")
        self._unsubscribed: set[tuple[UUID, str]] = set()

    def apply(self, event: RecipientUnsubscribed, sequence: int) -> None:  # noqa: ARG002
        self._unsubscribed.add((event.job_id, event.address.casefold()))

    def subscribed(self, job_id: UUID, recipients: Iterable[str]) -> tuple[str, ...]:
        """Return the recipients who have not unsubscribed, each once."""
        return tuple(
            recipient
            for recipient in dict.fromkeys(recipients)
            if (job_id, recipient.casefold()) not in self._unsubscribed
        )
