"""Who may do what on NATS: one user per service, with the subjects that section 3 of the design gives it, and no other.

JetStream's own requests are subjects too: to read the log is to publish on `$JS.API.CONSUMER...`, to acknowledge is to
publish on `$JS.ACK...`, to write a bucket is to publish on `$KV...` or `$O...`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from nightmail_common.broker.connection import AUDITOR, inbox_prefix
from nightmail_common.broker.streams import DURABLES, LEASES, MAILED, RESULTS, STREAKS, STREAM
from nightmail_common.contract.subjects import ALL_EVENTS, PREVIEW

#: The API's bucket of tokens. This library may not import a service's modules for a name.
TOKENS = "TOKENS"
#: Longer than a preview takes.
PREVIEW_ANSWER = "5m"

_API = "$JS.API"
_RESULTS_STREAM = f"OBJ_{RESULTS}"


@dataclass(frozen=True)
class NatsUser:
    """What a user may publish and subscribe to; `deny` takes away from `publish`, and everything else is refused.

    `answers`: it may answer, once and within a time, what comes with a reply subject.
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
    """Return what it takes to read events on one filter; on any number and kind of them where none is given."""
    create = f"{_API}.CONSUMER.CREATE.{STREAM}"
    consumers = [f"{create}.*.{name}" for name in filters] or [f"{create}.>"]
    return (f"{_API}.STREAM.INFO.{STREAM}", *consumers, f"{_API}.CONSUMER.MSG.NEXT.{STREAM}.*")


def _not_of_others(user: str) -> tuple[str, ...]:
    """Return what would let a reader of the log change another service's queue, or take from it."""
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


def _works_off(durable: str, *filters: str) -> tuple[str, ...]:
    """Return what it takes to work off a shared queue; JetStream checks a single filter, several it does not."""
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
    """Return what nats-py takes to read an object, or all of a stream: a consumer that pushes, with flow control."""
    return (
        *_reads_entries(stream),
        f"{_API}.CONSUMER.CREATE.{stream}",
        f"{_API}.CONSUMER.INFO.{stream}.*",
        f"$JS.FC.{stream}.>",
        f"{_API}.STREAM.NAMES",
    )


def _keeps(bucket: str) -> tuple[str, ...]:
    return (*_reads_entries(_bucket(bucket)), f"$KV.{bucket}.>")


def _replies(user: str) -> str:
    return f"{inbox_prefix(user)}.>"


def _declares() -> Iterable[str]:
    streams = (STREAM, _RESULTS_STREAM, *map(_bucket, (MAILED, STREAKS, LEASES, TOKENS)))
    for stream in streams:
        yield from (f"{_API}.STREAM.{request}.{stream}" for request in ("INFO", "CREATE", "UPDATE"))


_API_USER = NatsUser(
    "api",
    publish=(
        "jobs.>",
        *_events("run-requested", "mail-requested"),
        PREVIEW,
        *_declares(),
        *_reads_log(),
        f"{_API}.DIRECT.GET.{STREAM}",
        f"{_API}.STREAM.MSG.GET.{STREAM}",
        *(f"{_API}.CONSUMER.INFO.{STREAM}.{durable}" for durable in DURABLES),
        *_reads_all(_RESULTS_STREAM),
        *_keeps(TOKENS),
        # What must be forgotten is forgotten: a job's events, results and records of mails and of failures.
        f"{_API}.STREAM.MSG.DELETE.{STREAM}",
        f"{_API}.STREAM.MSG.DELETE.{_RESULTS_STREAM}",
        *(f"{_API}.STREAM.PURGE.{_bucket(bucket)}" for bucket in (MAILED, STREAKS)),
    ),
    # It hears of every change to a token at once.
    subscribe=(_replies("api"), f"$KV.{TOKENS}.>"),
    deny=_not_of_others("api"),
)

_TICKER = NatsUser(
    "ticker",
    publish=(
        *_events("run-requested", "run-skipped"),
        *_reads_log(),
        f"{_API}.STREAM.MSG.GET.{STREAM}",
        *_keeps(LEASES),
    ),
    subscribe=(_replies("ticker"),),
    deny=_not_of_others("ticker"),
)

_RUNNER = NatsUser(
    "runner",
    publish=(
        *_events("run-started", "attempt-failed", "result-ready", "run-failed"),
        *_works_off("runner", *_events("run-requested")),
        *_reads_log("runs.*.*"),
        *_reads_entries(_RESULTS_STREAM),
        f"$O.{RESULTS}.>",
    ),
    subscribe=(_replies("runner"), PREVIEW),
    deny=_not_of_others("runner"),
    answers=True,
)

_MAILER = NatsUser(
    "mailer",
    publish=(
        *_events("mail-sent", "mail-failed", "mail-skipped"),
        *_works_off("mailer"),
        *_reads_log(),
        f"{_API}.STREAM.MSG.GET.{STREAM}",
        *_reads_all(_RESULTS_STREAM),
        *_keeps(MAILED),
        *_keeps(STREAKS),
    ),
    subscribe=(_replies("mailer"),),
    deny=_not_of_others("mailer"),
)

AUDITOR_USER = NatsUser(
    AUDITOR,
    publish=(
        f"{_API}.INFO",
        f"{_API}.STREAM.INFO.*",
        f"{_API}.STREAM.LIST",
        *_reads_log(),
        *_reads_all(STREAM),
        f"{_API}.DIRECT.GET.{STREAM}",
        f"{_API}.DIRECT.GET.{STREAM}.>",
        *(f"{_API}.CONSUMER.INFO.{STREAM}.{durable}" for durable in DURABLES),
        *_reads_all(_RESULTS_STREAM),
        f"{_API}.STREAM.MSG.GET.{_bucket(LEASES)}",
    ),
    subscribe=(*ALL_EVENTS, _replies(AUDITOR)),
    deny=_not_of_others(AUDITOR),
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

#: The services, a reader, and who makes and puts back copies.
NATS_USERS = (_API_USER, _TICKER, _RUNNER, _MAILER, AUDITOR_USER, _BACKUP)
