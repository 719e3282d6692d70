"""What every service counts, for Prometheus.

Each service has a `metrics.py` of its own. Names follow Prometheus' own rules: the prefix `nightmail_`, base
units (seconds, bytes), `_total` on counters; labels have few values, never a job's name or a person's address.
"""

from prometheus_client import Counter, Gauge, disable_created_metrics

# The time of creation doubles the number of series, and no alert or dashboard uses it.
disable_created_metrics()  # type: ignore[no-untyped-call]

EVENTS_PUBLISHED = Counter("nightmail_events_published", "Events that this process stored in the log.")

READY = Gauge("nightmail_ready", "1 while every dependency of this service is ready, as /health/ready says.")

QUEUE_IN_PROGRESS = Gauge("nightmail_queue_in_progress", "Events that this process works on, by queue.", ["queue"])
UNREADABLE_EVENTS = Counter(
    "nightmail_unreadable_events",
    "Events that this process passed over: of an unknown type or version, or not valid.",
    ["queue"],
)
