"""Print every result as it comes: a complete subscriber to Nightmail's events.

Run it beside `nightmail up`:  set -a; . data/nats.env; python examples/subscribe.py
"""

import asyncio
import json
import os
from contextlib import suppress

import nats
from nats.js.api import AckPolicy, ConsumerConfig


async def main() -> None:
    client = await nats.connect(
        os.environ["NIGHTMAIL_NATS_URL"],
        user=os.environ["NIGHTMAIL_NATS_USER"],
        password=os.environ["NIGHTMAIL_NATS_PASSWORD"],
    )
    reader = ConsumerConfig(ack_policy=AckPolicy.NONE)
    results = await client.jetstream().pull_subscribe("runs.*.result-ready", stream="EVENTS", config=reader)
    while True:
        with suppress(TimeoutError):  # nothing came
            for message in await results.fetch(timeout=30):
                event = json.loads(message.data)
                print(event["job_name"], event["rows"], "rows", flush=True)


asyncio.run(main())
