"""Check the system's promises from outside: in the log, in the SMTP server's mails, and over REST."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import nats
import nats.errors

from e2e.conftest import Nightmail
from nightmail_common.broker.connection import seed_file
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import (
    MailEvent,
    MailSent,
    ResultReady,
    RunEvent,
    RunFailed,
    RunRequested,
    RunSkipped,
)
from nightmail_common.contract.schedule import Schedule
from support.deadlines import scaled
from support.faults.broker import Broker

MINUTE = timedelta(minutes=1)
READ_SECONDS = 60.0


@dataclass
class RunHistory:
    """The events of all runs in the log."""

    outcomes: dict[str, list[RunEvent]] = field(default_factory=lambda: defaultdict(list))
    requested: dict[str, RunRequested] = field(default_factory=dict)
    #: The runs with a final mail event, and those with an accepted mail.
    mailed: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    #: By job name: each due time with its own event, and the number of missed due times that the event lists.
    due: dict[str, list[tuple[datetime, int]]] = field(default_factory=lambda: defaultdict(list))
    requests_twice: int = 0

    def apply(self, event: RunEvent) -> None:
        run_id = str(event.run_id)
        match event:
            case RunRequested():
                self.requests_twice += run_id in self.requested
                self.requested[run_id] = event
                if event.trigger == "schedule":
                    self.due[event.job_name].append((event.scheduled_at, event.missed_before))
            case RunSkipped():
                self.outcomes[run_id].append(event)
                self.due[event.job_name].append((event.scheduled_at, event.missed_before))
            case ResultReady() | RunFailed():
                self.outcomes[run_id].append(event)
            case MailEvent(kind="result"):
                self.mailed.add(run_id)
                if isinstance(event, MailSent):
                    self.accepted.add(run_id)

    def unfinished(self) -> set[str]:
        """Return the runs without an outcome, and those with a result but no final mail event."""
        running = self.requested.keys() - self.outcomes.keys()
        results = {
            run_id
            for run_id, outcomes in self.outcomes.items()
            if any(isinstance(one, ResultReady) for one in outcomes)
        }
        return running | (results - self.mailed)

    def twice(self) -> list[str]:
        return [run_id for run_id, outcomes in self.outcomes.items() if len(outcomes) > 1]

    def dues_wrong(self, created: dict[str, datetime], schedule: Schedule, until: datetime) -> list[str]:
        """Return a message per due time that has two fates, and per job with due times that have none."""
        wrong = []
        for job_name, since in created.items():
            served = self.due.get(job_name, [])
            wrong += [f"{job_name} {at} twice" for at, count in Counter(at for at, _ in served).items() if count > 1]
            accounted = len({at for at, _ in served}) + sum(missed for _, missed in served)
            owed = 0
            for due in schedule.due_times(since):
                if due > until:
                    break
                owed += 1
            if accounted < owed:
                wrong.append(f"{job_name}: {owed} due, {accounted} accounted for")
        return wrong


class Auditor:
    """Reads the log as the NATS user `auditor`; each call reads only new events, to cause little load."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._history = RunHistory()
        self._read_up_to = 0

    def read(self) -> RunHistory:
        """Return the history up to now."""
        asyncio.run(asyncio.wait_for(self._read(), scaled(READ_SECONDS)))
        return self._history

    async def _read(self) -> None:
        broker = self._broker
        client = await nats.connect(
            f"nats://127.0.0.1:{broker.port}",
            nkeys_seed=str(seed_file(broker.seeds, "auditor")),
            max_reconnect_attempts=-1,
        )
        try:
            log = EventLog(client, "test", timedelta(days=1))
            async for batch in log.replay(("runs.>",), after=self._read_up_to):
                for stored in batch:
                    event = stored.event()
                    assert isinstance(event, RunEvent)
                    self._history.apply(event)
                    self._read_up_to = stored.sequence
        finally:
            await client.close()


@dataclass(frozen=True)
class Mailed:
    """The mails that the SMTP server accepted: the runs of result mails, and the duplicates."""

    runs: set[str]
    duplicates: int
    other_message_ids: int

    @classmethod
    def of(cls, accepted: list[tuple[str, EmailMessage]]) -> "Mailed":
        ids: dict[tuple[str, str], list[str]] = defaultdict(list)
        for recipient, mail in accepted:
            # The mails of one run and kind are duplicates. Only a result mail has a CSV.
            kind = "result" if any(mail.iter_attachments()) else str(mail["Subject"])
            ids[f"{mail['X-Nightmail-Run']} {kind}", recipient].append(str(mail["Message-ID"]))
        return cls(
            {key.split()[0] for key, _ in ids if key.endswith(" result")},
            sum(len(found) - 1 for found in ids.values()),
            sum(len(set(found)) - 1 for found in ids.values()),
        )


def answers(system: Nightmail) -> dict[str, Any]:
    """Return every job and run of the read model, without `next_run`, which depends on the current time."""
    found: dict[str, Any] = {}
    for kind, path in (("jobs", "/jobs"), ("runs", "/runs")):
        cursor: str | None = ""
        while cursor is not None:
            page = system.call("GET", path, params={"limit": 200} | ({"cursor": cursor} if cursor else {})).json()
            for item in page["items"]:
                item.pop("next_run", None)
                found[f"{kind} {item.get('run_id', item['job_name'])}"] = item
            cursor = page["next_cursor"]
    return found
