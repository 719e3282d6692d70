"""Events that no service writes: of wrong types, with huge numbers, missing fields, unknown versions, no JSON at all."""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import EVENTS
from nightmail_common.contract.subjects import job_token

RECORDED = [
    json.loads(line)
    for log in ("log-v1.jsonl", "log-v2.jsonl")
    for line in (Path(__file__).parents[1] / "data" / log).read_text(encoding="utf-8").splitlines()
]
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**64,
    10**400,
    1e308,
    "",
    "a\0b",
    "x" * 5_000,
    "a b.>*",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-11-25T09:00:00",
    "61 25 32 13 *",
    [],
    {},
    [[]] * 50,
)
BODIES = (b"", b"null", b"[]", b"{", b"\xff\xfe", b'"text"', b"[" * 5_000, b'{"job_name": NaN}')
TIMES = ("", "never", "2026-11-25T09:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")


def poison_events(job_name: str, seed: int = 0) -> Iterator[StoredEvent]:
    """Yield some hundred hostile events of every type about a job, in an order that follows from the seed."""
    random_ = random.Random(seed)
    for name, model in EVENTS.items():
        recorded = [
            event["data"] | {"job_name": job_name} for event in RECORDED if event["subject"].endswith(f".{name}")
        ]
        bodies = [*BODIES, *(json.dumps(value).encode() for body in recorded[:2] for value in _damaged(body, random_))]
        for body in bodies:
            version = random_.choice((model.type_version, model.type_version, model.type_version + 1, "x"))
            yield StoredEvent(
                sequence=random_.randrange(1, 2**40),
                time=datetime.now(UTC),
                subject=f"{model.family}.{job_token(job_name)}.{name}",
                headers={
                    "ce-type": f"nightmail.{name}.v{version}",
                    "Nightmail-Due": f"{random_.choice(TIMES)} {random_.choice(('', 'job'))}",
                },
                data=body,
            )


def _damaged(body: dict[str, Any], random_: random.Random) -> Iterator[dict[str, Any]]:
    """Yield the body with each of its fields removed, and replaced by hostile values."""
    for field in body:
        yield {name: value for name, value in body.items() if name != field}
        for value in random_.sample(VALUES, 4):
            yield body | {field: value}
        if isinstance(body[field], dict):
            for inner in body[field]:
                damaged = deepcopy(body)
                damaged[field][inner] = random_.choice(VALUES)
                yield damaged
