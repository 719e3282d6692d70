"""Mails: what was mailed to whom."""

from collections.abc import AsyncIterator

from nightmail_client.asynchronous.transport import AsyncCalls
from nightmail_client.records import MailRecord


class AsyncMailCalls(AsyncCalls):
    """The calls about mails."""

    def list(
        self,
        *,
        recipient: str | None = None,
        outcome: str | None = None,
        job_name: str | None = None,
        message_id: str | None = None,
        since: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[MailRecord]:
        """Yield the delivery ledger: an item for each recipient of each mail, the newest first."""
        of = {"recipient": recipient, "outcome": outcome, "job_name": job_name, "message_id": message_id}
        query = of | {"since": since}
        return self._transport.pages(MailRecord, "/mails", limit, **query)
