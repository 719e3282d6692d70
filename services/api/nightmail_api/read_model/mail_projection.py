"""The rows of the delivery ledger: one for each recipient of a mail, with the last answer of the server."""

from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from nightmail_api.read_model.schema import mails
from nightmail_common.contract.envelope import StoredEvent, iso_time
from nightmail_common.contract.events import MailBounced, MailDeferred, MailEvent

#: More than a mail's recipients (`MAX_RECIPIENTS`): a row's place is its event's sequence times this, plus its number.
PLACES = 1024

_OF_MAIL = (mails.c.run_id == bindparam("of_run"), mails.c.message_id == bindparam("of_mail"))
_FORGET = delete(mails).where(*_OF_MAIL, mails.c.outcome != "bounced")
#: A bounce is about one recipient, and stays when a later event names all recipients of its mail.
_FORGET_RECIPIENT = delete(mails).where(*_OF_MAIL, mails.c.recipient == bindparam("of_recipient"))
_bounced = mails.alias("bounced")
_FORGET_BOUNCED = delete(mails).where(
    *_OF_MAIL,
    mails.c.outcome != "bounced",
    mails.c.recipient.in_(
        select(_bounced.c.recipient).where(
            _bounced.c.run_id == bindparam("of_run"),
            _bounced.c.message_id == bindparam("of_mail"),
            _bounced.c.outcome == "bounced",
        )
    ),
)
_FORGET_WAITING = delete(mails).where(
    mails.c.run_id == bindparam("of_run"), mails.c.kind == bindparam("of_kind"), mails.c.outcome == "waiting"
)
_ANY_BOUNCE = select(mails.c.place).where(mails.c.outcome == "bounced").limit(1)


class MailProjection:
    """The mails that one transaction changes.

    Each event of a mail names all of its recipients, so the last one counts; a bounce names one.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def apply(self, event: MailEvent | MailDeferred | MailBounced, stored: StoredEvent) -> None:
        run_id = str(event.run_id)
        rows = [
            {
                "place": stored.sequence * PLACES + number,
                "run_id": run_id,
                "message_id": event.message_id,
                "job_name": event.job_name,
                "kind": event.kind,
                "split_value": event.split_value,
                "recipient": mail["address"],
                "outcome": mail["outcome"],
                "answer": mail["answer"],
                "time": iso_time(stored.time),
                "since": mail.get("since"),
                "next_attempt": mail.get("next_attempt"),
            }
            for number, mail in enumerate(mails_of(event)[:PLACES])
        ]
        if not isinstance(event, MailBounced):
            self._rows[run_id, event.message_id] = rows
            return
        self.write()
        of_recipient = {"of_run": run_id, "of_mail": event.message_id, "of_recipient": event.address}
        self._connection.execute(_FORGET_RECIPIENT, of_recipient)
        self._connection.execute(insert(mails), rows)

    def forget_waiting(self, run_id: str, kind: str, split_value: str | None = None) -> None:
        """Delete what waits of a mail that is not sent; of a result without a slice, of all of its slices."""
        self.write()
        statement = (
            _FORGET_WAITING if split_value is None else _FORGET_WAITING.where(mails.c.split_value == split_value)
        )
        self._connection.execute(statement, {"of_run": run_id, "of_kind": kind})

    def write(self) -> None:
        """Write the rows of the mails that changed."""
        if not self._rows:
            return
        of_mails = [{"of_run": run_id, "of_mail": message_id} for run_id, message_id in self._rows]
        self._connection.execute(_FORGET, of_mails)
        if rows := [row for of_mail in self._rows.values() for row in of_mail]:
            self._connection.execute(insert(mails), rows)
            if self._connection.scalar(_ANY_BOUNCE) is not None:
                self._connection.execute(_FORGET_BOUNCED, of_mails)
        self._rows.clear()


def mails_of(event: MailEvent | MailDeferred | MailBounced) -> list[dict[str, Any]]:
    """Return address, outcome and answer for each recipient of an event; of one that waits, since when and until when."""
    if isinstance(event, MailBounced):
        return [{"address": event.address, "outcome": "bounced", "answer": f"{event.status} {event.answer}"}]
    if isinstance(event, MailEvent):
        return [recipient.model_dump() for recipient in event.recipients]
    waiting = [
        {
            "address": one.address,
            "outcome": "waiting",
            "answer": one.answer,
            "since": iso_time(one.since),
            "next_attempt": iso_time(one.next_attempt),
        }
        for one in event.recipients
    ]
    return [*(recipient.model_dump() for recipient in event.settled), *waiting]
