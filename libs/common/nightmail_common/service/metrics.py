"""What every service counts, for Prometheus.

Each service has a `metrics.py` of its own beside this one. Names follow Prometheus' own rules: the prefix `nightmail_`, base
units (seconds, bytes), `_total` on counters; labels have few values, never a job's name or a person's address.
"""

from prometheus_client import Counter, disable_created_metrics

# When each counter began is as many series again, and nothing here looks at it.
disable_created_metrics()  # type: ignore[no-untyped-call]

EVENTS_PUBLISHED = Counter("nightmail_events_published", "Events that this process stored in the log.")
