"""What the mailer counts, for Prometheus: mails by what became of them, the SMTP server, and what waits."""

from collections.abc import Callable

from nats.js.api import ConsumerInfo
from prometheus_client import Counter, Gauge, Histogram

#: From a server on this machine to one that looks into every mail; the last is the time that RFC 5321 allows it.
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

TRIES = Counter(
    "nightmail_mailer_tries",
    "Mails handed to the SMTP server, one per recipient and try, by its answer: accepted, refused, deferred, lost.",
    ("kind", "answer"),
)
MAILS = Counter(
    "nightmail_mailer_mails",
    "Mails that are done, one per recipient: accepted, refused or uncertain.",
    ("kind", "outcome"),
)
DURATION = Histogram(
    "nightmail_mailer_smtp_duration_seconds",
    "From a mail's envelope to the server's answer to its end.",
    buckets=_BUCKETS,
)
HANGING = Gauge("nightmail_mailer_hanging_mails", "Mails that the server has been busy with for longer than a second.")
BREAKER_OPEN = Gauge("nightmail_mailer_breaker_open", "1 while no connection to the SMTP server can be made.")
WAITING = Gauge("nightmail_mailer_queue_waiting", "Events that ask for mail and that no mailer has taken yet.")
IN_FLIGHT = Gauge("nightmail_mailer_queue_in_flight", "Events that a mailer works on or that wait for their next try.")


def follow_smtp(why_not_ready: Callable[[], str | None], hanging: Callable[[], int]) -> None:
    """Have the server's gauges show how it is whenever they are looked at."""
    BREAKER_OPEN.set_function(lambda: 0 if why_not_ready() is None else 1)
    HANGING.set_function(hanging)


def observe_queue(info: ConsumerInfo) -> None:
    """Note what waits for all mailers together."""
    WAITING.set(info.num_pending or 0)
    IN_FLIGHT.set(info.num_ack_pending or 0)
