"""Print every result as it comes: a complete subscriber to Nightmail's events.

Run it beside `nightmail up`:  set -a; . data/nats.env; python examples/subscribe.py
"""

import asyncio
import json
import os

import nats


async def main() -> None:
    client = await nats.connect(
        os.environ["NIGHTMAIL_NATS_URL"],
        user=os.environ["NIGHTMAIL_NATS_USER"],
        password=os.environ["NIGHTMAIL_NATS_PASSWORD"],
    )
    results = await client.jetstream().subscribe("runs.*.result-ready", stream="EVENTS", ordered_consumer=True)
    async for message in results.messages:
        event = json.loads(message.data)
        print(event["job_name"], event["rows"], "rows", flush=True)


asyncio.run(main())
