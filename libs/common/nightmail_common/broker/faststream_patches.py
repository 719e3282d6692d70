"""Every workaround for FastStream, each with the upstream issue or the version that makes it unnecessary."""

import asyncio
from collections.abc import Sequence
from typing import Any

from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from nightmail_common.broker.delivery import Slots
from nightmail_common.broker.errors import BROKER_ERRORS

#: From a pull that the broker refused to the next: the durable consumer is deleted, or a cluster elects its leader.
REFUSED_PULL_PAUSE_SECONDS = 0.5


class FastStreamAdapter(NatsBroker):
    """FastStream on an existing connection, with one pull per free slot.

    A pulled message keeps its slot; `DeliveryMiddleware` frees it.

    Args:
        client: the connection; it stays the caller's. FastStream makes its own with `nats.connect` and has no parameter
            for an existing one (0.7.8).
    """

    def __init__(self, client: Client, slots: Slots, **options: Any) -> None:
        super().__init__(**options)
        self._client = client
        self._slots = slots

    async def _connect(self) -> Client:
        self.config.connect(self._client)
        return self._client

    async def start(self) -> None:
        await super().start()
        for subscriber in self.subscribers:
            if isinstance(pulls := getattr(subscriber, "subscription", None), JetStreamContext.PullSubscription):
                self._limit(subscriber, pulls)

    def _limit(self, subscriber: Any, pulls: JetStreamContext.PullSubscription) -> None:
        """Replace a subscription's `fetch`.

        FastStream pulls while all its workers are busy, up to `max_workers` messages that nobody keeps alive, and pulls
        again at once after a refusal: thousands of requests a second (https://github.com/ag2ai/faststream/issues/2632).
        """
        fetch = pulls.fetch

        async def limited(*args: Any, **kwargs: Any) -> Sequence[Msg]:
            await self._slots.acquire()
            messages: Sequence[Msg] = ()
            try:
                messages = await fetch(*args, **kwargs)
            except TimeoutError:
                pass  # no message came
            except BROKER_ERRORS:
                await asyncio.sleep(REFUSED_PULL_PAUSE_SECONDS)
            finally:
                if not messages:
                    self._slots.release()
            if not subscriber.running:  # it would drop them: hand them back
                for message in messages:
                    await message.nak()
            return messages

        pulls.fetch = limited  # type: ignore[assignment]
