"""Recipients whose mail came back, as the log has them: they get no mail about that."""

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailBounced
from nightmail_mailer.records.log_record import LogRecord


class BouncedRecipients(LogRecord[MailBounced]):
    """The addresses of all bounces that the log keeps, of any job: an address that does not exist does so for no job."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(log, MailBounced, "bounced recipients")
        self._bounced: set[str] = set()

    def __contains__(self, address: str) -> bool:
        return address.casefold() in self._bounced

    def apply(self, event: MailBounced, sequence: int) -> None:  # noqa: ARG002
        self._bounced.add(event.address.casefold())
