"""Mails: what was mailed to whom."""

from collections.abc import AsyncIterator
from typing import cast

from nightmail_client.asynchronous.transport import AsyncTransport
from nightmail_client.records import MailRecord


class AsyncMailCalls:
    """The calls about mails."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(
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
        async for mail in self._transport.pages("/mails", limit, **query):
            yield cast("MailRecord", mail)
