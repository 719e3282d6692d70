"""The ticker's Prometheus metrics."""

from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from nightmail_common.broker.metrics import UNREADABLE_EVENTS
from nightmail_common.contract.events import SkipReason

LATENESS = Histogram(
    "nightmail_ticker_due_time_lateness_seconds",
    "From a due time until its run request or skip is durable.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600, 3600, 86400),
)
DUE_TIMES = Counter(
    "nightmail_ticker_due_times",
    "Due times by outcome: run, late_run, missed, overlap.",
    ["fate"],
)
# Exported from 0: an alert on its increase sees the first one.
for _consumer in ("jobs", "runs"):
    UNREADABLE_EVENTS.labels(_consumer)
for _fate in ("run", "late_run", *get_args(SkipReason)):
    DUE_TIMES.labels(_fate)
LEADS = Gauge("nightmail_ticker_leads", "1 while this ticker holds the lease, 0 while it is a standby.")
JOBS = Gauge("nightmail_ticker_jobs", "Active jobs.")
AHEAD = Gauge(
    "nightmail_ticker_due_times_ahead",
    "Due times to come that were fired already, because the clock was ahead.",
)
SCHEDULES = Gauge("nightmail_ticker_schedules", "Distinct schedules and time zones of these jobs.")
