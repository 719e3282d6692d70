"""The ticker's Prometheus metrics."""

from prometheus_client import Counter, Gauge, Histogram

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
LEADS = Gauge("nightmail_ticker_leads", "1 while this ticker holds the lease, 0 while it is a standby.")
JOBS = Gauge("nightmail_ticker_jobs", "Active jobs.")
AHEAD = Gauge(
    "nightmail_ticker_due_times_ahead",
    "Due times to come that were fired already, because the clock was ahead.",
)
SCHEDULES = Gauge("nightmail_ticker_schedules", "Distinct schedules and time zones of these jobs.")
