"""The mailer's Prometheus metrics: mails by outcome, the SMTP server, and the queue."""

from typing import get_args

from nats.js.api import ConsumerInfo
from prometheus_client import Counter, Gauge, Histogram

from nightmail_common.contract.events import MailKind
from nightmail_common.contract.mail_outcomes import MailAnswer
from nightmail_mailer.smtp.reply_rules import RULES, Phase

#: From a server on this machine to one that scans every mail; the last is the time that RFC 5321 allows.
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

ATTEMPTS = Counter(
    "nightmail_mailer_tries",
    "Attempts to send a mail, one per recipient and attempt, by outcome: accepted, refused, deferred, lost.",
    ("kind", "answer"),
)
MAILS = Counter(
    "nightmail_mailer_mails",
    "Mails with a final outcome, one per recipient: accepted, refused or uncertain.",
    ("kind", "outcome"),
)
REPLIES = Counter(
    "nightmail_mailer_refusals",
    "Replies of the SMTP server that refuse a mail, by phase, what they are about, and the consequence.",
    ("phase", "about", "consequence"),
)
LOST_REPORTS = Counter(
    "nightmail_mailer_lost_reports", "Mails that reached no recipient and are not tried again, by kind.", ("kind",)
)
DURATION = Histogram(
    "nightmail_mailer_smtp_duration_seconds",
    "From a mail's envelope to the server's reply to its end.",
    buckets=_BUCKETS,
)
SLOW_SENDS = Gauge(
    "nightmail_mailer_hanging_mails", "Mails that the server has been busy with for longer than a second."
)
UNREACHABLE = Gauge("nightmail_mailer_breaker_open", "1 while no connection to the SMTP server can be made.")
SENDER_REFUSED = Gauge(
    "nightmail_mailer_sender_refused", "1 while the SMTP server refuses the sender and all mail is held back."
)
WAITING = Gauge("nightmail_mailer_queue_waiting", "Events that ask for mail and that no mailer has fetched yet.")
IN_FLIGHT = Gauge("nightmail_mailer_queue_in_flight", "Events that a mailer works on or that wait for a retry.")


for _kind in get_args(MailKind):  # counters begin at 0: an alert on their increase sees the first event
    LOST_REPORTS.labels(_kind)
    for _outcome in get_args(MailAnswer):
        MAILS.labels(_kind, _outcome)
    for _answer in ("accepted", "refused", "deferred", "lost"):
        ATTEMPTS.labels(_kind, _answer)
for _rule in RULES:
    for _phase in get_args(Phase) if _rule.phases == "*" else _rule.phases.split():
        REPLIES.labels(_phase, _rule.about, _rule.consequence)


def observe_queue(info: ConsumerInfo) -> None:
    """Set the gauges of the queue that all mailers share."""
    WAITING.set(info.num_pending or 0)
    IN_FLIGHT.set(info.num_ack_pending or 0)
