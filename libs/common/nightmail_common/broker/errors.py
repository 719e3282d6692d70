"""The one split of broker errors: transient ones are worth a retry, all others are permanent.

Permanent is every `nats.errors.Error` that is not listed here: the same call fails again until somebody changes the
message, the stream or the bucket (`MaxPayloadError`, `BadRequestError`, `NotFoundError`, `BucketNotFoundError`, and
`ServerError`, which is JetStream's answer to an invalid configuration), or the connection is closed for good
(`ConnectionClosedError`). Nothing retries one of them without end.
"""

import nats.errors
import nats.js.errors

#: What a call raises while the broker is away, restarts, elects a leader or is overloaded. nats-py lets errors of the
#: socket through, and its own `TimeoutError` is an `OSError`.
TRANSIENT_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    nats.errors.TimeoutError,
    nats.errors.NoRespondersError,
    nats.errors.NoServersError,
    nats.errors.StaleConnectionError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.SlowConsumerError,
    nats.js.errors.NoStreamResponseError,
    nats.js.errors.ServiceUnavailableError,  # JetStream's 503
)

#: Every error of a call to the broker, for callers that log it and do without the answer.
BROKER_ERRORS: tuple[type[Exception], ...] = (nats.errors.Error, OSError)
