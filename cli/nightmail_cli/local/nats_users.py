"""The NATS users and their permissions: one user per service, with only the subjects that the service needs.

JetStream's API consists of subjects: reading the log publishes on `$JS.API.CONSUMER...`, an ack publishes on `$JS.ACK...`,
writing a bucket publishes on `$KV...` or `$O...` (docs.nats.io, JetStream wire API).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from nightmail_common.broker.connection import AUDITOR, inbox_prefix
from nightmail_common.broker.streams import (
    DURABLES,
    FILES,
    INPUTS,
    LEASES,
    MAILED,
    RESULTS,
    SAMPLES,
    SERVICES,
    STREAKS,
    STREAM,
)
from nightmail_common.contract.subjects import (
    ALL_EVENTS,
    MAIL_RENDER,
    MAIL_SEND,
    PREVIEW,
    PREVIEW_CANCEL,
    SOURCE_CHECK,
    TEST_MAIL,
)

#: The API's bucket of tokens.
TOKENS = "TOKENS"
#: The API's bucket of used one-time codes.
SESSION_CODES = "SESSION_CODES"
#: Longer than the slowest preview.
PREVIEW_ANSWER = "5m"

_API = "$JS.API"
_RESULTS_STREAM = f"OBJ_{RESULTS}"
_FILES_STREAM = f"OBJ_{FILES}"
_INPUTS_STREAM = f"OBJ_{INPUTS}"
_SAMPLES_STREAM = f"OBJ_{SAMPLES}"


@dataclass(frozen=True)
class NatsUser:
    """The subjects that a user may publish and subscribe to; `deny` is subtracted from `publish`.

    `answers`: it may reply once, within `PREVIEW_ANSWER`, to a request.
    """

    name: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    deny: tuple[str, ...] = ()
    answers: bool = False


def _bucket(name: str) -> str:
    return f"KV_{name}"


def _events(*names: str) -> tuple[str, ...]:
    return tuple(f"runs.*.{name}" for name in names)


def _reads_log(*filters: str) -> tuple[str, ...]:
    """Return the subjects to read the log with one filter each; without filters, with any filters."""
    create = f"{_API}.CONSUMER.CREATE.{STREAM}"
    consumers = [f"{create}.*.{name}" for name in filters] or [f"{create}.>"]
    return (f"{_API}.STREAM.INFO.{STREAM}", *consumers, f"{_API}.CONSUMER.MSG.NEXT.{STREAM}.*")


def _other_durables(user: str) -> tuple[str, ...]:
    """Return the subjects by which a log reader could change another service's durable consumer, or pull from it."""
    return tuple(
        f"{_API}.CONSUMER.{request}"
        for durable in DURABLES
        if durable != user
        for request in (
            f"CREATE.{STREAM}.{durable}",
            f"CREATE.{STREAM}.{durable}.>",
            f"MSG.NEXT.{STREAM}.{durable}",
        )
    )


def _consumes(durable: str, *filters: str) -> tuple[str, ...]:
    """Return the subjects to consume a durable consumer. JetStream checks a single filter, but not several."""
    create = f"{_API}.CONSUMER.CREATE.{STREAM}.{durable}"
    return (
        *([f"{create}.{name}" for name in filters] or [create]),
        f"{_API}.CONSUMER.INFO.{STREAM}.{durable}",
        f"{_API}.CONSUMER.MSG.NEXT.{STREAM}.{durable}",
        f"$JS.ACK.{STREAM}.{durable}.>",
    )


def _reads_entries(stream: str) -> tuple[str, ...]:
    return (f"{_API}.STREAM.INFO.{stream}", f"{_API}.STREAM.MSG.GET.{stream}")


def _reads_all(stream: str) -> tuple[str, ...]:
    """Return the subjects by which nats-py reads an object or a whole stream: a push consumer with flow control."""
    return (
        *_reads_entries(stream),
        f"{_API}.CONSUMER.CREATE.{stream}",
        f"{_API}.CONSUMER.INFO.{stream}.*",
        f"$JS.FC.{stream}.>",
        f"{_API}.STREAM.NAMES",
    )


def _writes_bucket(bucket: str) -> tuple[str, ...]:
    return (*_reads_entries(_bucket(bucket)), f"$KV.{bucket}.>")


def _announces(service: str) -> str:
    """Return the subjects of a service's own entries in the bucket of services."""
    return f"$KV.{SERVICES}.{service}.*"


def _replies(user: str) -> str:
    return f"{inbox_prefix(user)}.>"


def _declares() -> Iterable[str]:
    buckets = map(_bucket, (MAILED, STREAKS, LEASES, SERVICES, TOKENS, SESSION_CODES))
    for stream in (STREAM, _RESULTS_STREAM, _FILES_STREAM, _INPUTS_STREAM, _SAMPLES_STREAM, *buckets):
        yield from (f"{_API}.STREAM.{request}.{stream}" for request in ("INFO", "CREATE", "UPDATE"))


_API_USER = NatsUser(
    "api",
    publish=(
        "jobs.>",
        *_events("run-requested", "run-cancelled", "mail-requested"),
        PREVIEW,
        PREVIEW_CANCEL,
        SOURCE_CHECK,
        MAIL_RENDER,
        MAIL_SEND,
        TEST_MAIL,
        *_declares(),
        *_reads_log(),
        f"{_API}.DIRECT.GET.{STREAM}",
        f"{_API}.STREAM.MSG.GET.{STREAM}",
        *(f"{_API}.CONSUMER.INFO.{STREAM}.{durable}" for durable in DURABLES),
        *_reads_all(_RESULTS_STREAM),
        *_reads_entries(_FILES_STREAM),
        f"$O.{FILES}.>",
        f"{_API}.STREAM.PURGE.{_FILES_STREAM}",
        # Removal of inputs: an entry that says 'deleted', then the bytes.
        f"{_API}.STREAM.MSG.GET.{_INPUTS_STREAM}",
        f"$O.{INPUTS}.M.>",
        f"{_API}.STREAM.MSG.DELETE.{_INPUTS_STREAM}",
        f"{_API}.STREAM.PURGE.{_INPUTS_STREAM}",
        # The oldest sample of a caller who has too many.
        f"{_API}.STREAM.MSG.GET.{_SAMPLES_STREAM}",
        f"$O.{SAMPLES}.M.>",
        f"{_API}.STREAM.PURGE.{_SAMPLES_STREAM}",
        *_writes_bucket(TOKENS),
        *_writes_bucket(SESSION_CODES),
        # `GET /system` shows who announces itself, and whether a ticker leads.
        _announces("api"),
        f"{_API}.STREAM.MSG.GET.{_bucket(SERVICES)}",
        f"{_API}.STREAM.MSG.GET.{_bucket(LEASES)}",
        # Erasure of a job: its events, results, mail records and failure streaks.
        f"{_API}.STREAM.MSG.DELETE.{STREAM}",
        f"{_API}.STREAM.MSG.DELETE.{_RESULTS_STREAM}",
        *(f"{_API}.STREAM.PURGE.{_bucket(bucket)}" for bucket in (MAILED, STREAKS)),
        # Pieces of results whose upload was cut off.
        f"{_API}.STREAM.PURGE.{_RESULTS_STREAM}",
    ),
    # It watches the tokens.
    subscribe=(_replies("api"), f"$KV.{TOKENS}.>"),
    deny=_other_durables("api"),
)

_TICKER = NatsUser(
    "ticker",
    publish=(
        *_events("run-requested", "run-skipped"),
        *_reads_log(),
        f"{_API}.STREAM.MSG.GET.{STREAM}",
        *_writes_bucket(LEASES),
        _announces("ticker"),
    ),
    subscribe=(_replies("ticker"),),
    deny=_other_durables("ticker"),
)

_RUNNER = NatsUser(
    "runner",
    publish=(
        *_events("run-started", "attempt-failed", "result-ready", "run-failed", "run-skipped", "input-kept"),
        *_consumes("runner", *_events("run-requested")),
        *_reads_log("runs.*.*", "jobs.*.job-deleted"),
        # What a job's next result is compared with.
        *_reads_all(_RESULTS_STREAM),
        f"$O.{RESULTS}.>",
        f"{_API}.STREAM.MSG.GET.{_FILES_STREAM}",
        *_reads_entries(_INPUTS_STREAM),
        f"$O.{INPUTS}.>",
        *_reads_entries(_SAMPLES_STREAM),
        f"$O.{SAMPLES}.>",
        _announces("runner"),
    ),
    subscribe=(_replies("runner"), PREVIEW, PREVIEW_CANCEL, SOURCE_CHECK),
    deny=_other_durables("runner"),
    answers=True,
)

_MAILER = NatsUser(
    "mailer",
    publish=(
        *_events("run-skipped", "mail-sent", "mail-failed", "mail-deferred", "mail-bounced", "mail-skipped"),
        *_consumes("mailer"),
        *_reads_log(),
        f"{_API}.STREAM.MSG.GET.{STREAM}",
        *_reads_all(_RESULTS_STREAM),
        *_writes_bucket(MAILED),
        *_writes_bucket(STREAKS),
        _announces("mailer"),
    ),
    subscribe=(_replies("mailer"), MAIL_RENDER, MAIL_SEND, TEST_MAIL),
    deny=_other_durables("mailer"),
    answers=True,
)

AUDITOR_USER = NatsUser(
    AUDITOR,
    publish=(
        f"{_API}.INFO",
        f"{_API}.STREAM.INFO.*",
        f"{_API}.STREAM.LIST",
        *_reads_log(),
        # Not the request without a name in its subject, by which nats-py's `subscribe` makes a push consumer: its body
        # may name any durable consumer, and JetStream then rewrites that one.
        *_reads_entries(STREAM),
        f"{_API}.CONSUMER.INFO.{STREAM}.*",
        f"{_API}.STREAM.NAMES",
        f"{_API}.DIRECT.GET.{STREAM}",
        f"{_API}.DIRECT.GET.{STREAM}.>",
        *_reads_all(_RESULTS_STREAM),
        f"{_API}.STREAM.MSG.GET.{_bucket(LEASES)}",
    ),
    subscribe=(*ALL_EVENTS, _replies(AUDITOR)),
    deny=_other_durables(AUDITOR),
)

_BACKUP = NatsUser(
    "backup",
    publish=(
        f"{_API}.STREAM.LIST",
        f"{_API}.STREAM.INFO.*",
        f"{_API}.STREAM.SNAPSHOT.*",
        "$JS.SNAPSHOT.ACK.>",
        f"{_API}.STREAM.RESTORE.*",
        "$JS.SNAPSHOT.RESTORE.>",
    ),
    subscribe=(_replies("backup"),),
)

#: The services, the auditor (reads), and the user of backup and restore.
NATS_USERS = (_API_USER, _TICKER, _RUNNER, _MAILER, AUDITOR_USER, _BACKUP)
