"""The ticker: turns due times into run requests."""

from functools import partial
from uuid import uuid4

from nats.js.errors import BucketNotFoundError
from nats.js.kv import KeyValue

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.errors import TRANSIENT_ERRORS
from nightmail_common.broker.streams import LEASES
from nightmail_common.service.service import Service, run_service
from nightmail_common.service.settings import load
from nightmail_ticker.clock import Clock
from nightmail_ticker.lease import Lease
from nightmail_ticker.settings import TickerSettings
from nightmail_ticker.ticker import Ticker


def main() -> None:
    run(Clock())


def run(clock: Clock) -> None:
    """Run the service on a clock; tests have one that goes faster."""
    run_service("ticker", load(TickerSettings), partial(serve, clock))


async def serve(clock: Clock, service: Service) -> None:
    """Read the jobs from the log, then request runs while this ticker holds the lease."""
    await service.connected()
    errors: tuple[type[Exception], ...] = (BucketNotFoundError, *TRANSIENT_ERRORS)
    bucket = await retry_forever(partial(_open_leases, service), "open the bucket of leases", errors)
    lease = Lease(bucket, str(uuid4()))
    ticker = Ticker(service.log, lease, clock)
    service.facts["leads"] = lambda: ticker.leads
    positions = await ticker.load()
    service.background(ticker.run(*positions), "ticker")
    await service.until_stopped()


async def _open_leases(service: Service) -> KeyValue:
    try:
        return await service.client.jetstream().key_value(LEASES)
    except BucketNotFoundError:  # a restored broker has the log and no leases until the API has started
        raise BucketNotFoundError(description=f"the bucket {LEASES} does not exist yet; the API creates it") from None
