"""Mails: what was mailed to whom."""

from collections.abc import Iterator
from typing import cast

from nightmail_client.blocking.transport import Transport
from nightmail_client.records import MailRecord


class MailCalls:
    """The calls about mails."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        recipient: str | None = None,
        outcome: str | None = None,
        job_name: str | None = None,
        message_id: str | None = None,
        since: str | None = None,
        limit: int | None = None,
    ) -> Iterator[MailRecord]:
        """Yield the delivery ledger: an item for each recipient of each mail, the newest first."""
        of = {"recipient": recipient, "outcome": outcome, "job_name": job_name, "message_id": message_id}
        query = of | {"since": since}
        for mail in self._transport.pages("/mails", limit, **query):
            yield cast("MailRecord", mail)
