"""All servers of the bug reports in rotation: every mail to a valid recipient arrives once.

Run with -m long; SOAK_MINUTES sets how long results come, SOAK_SEED the order of the servers.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from uuid import UUID

import pytest

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailEvent, ResultReady
from nightmail_common.contract.job import Job
from support.deadlines import scaled
from support.hostile_smtp import BEHAVIOURS, UNKNOWN, HostileServer
from support.mailer_process import CSV, result_of
from support.nats_server import NatsServer
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
#: For how long results come.
SECONDS = 60 * float(os.environ.get("SOAK_MINUTES", "10"))
TURN_SECONDS = 4.0
#: From one result to the next.
PAUSE_SECONDS = 0.4
#: From the last result, when the server works, to the last outcome: the longest backoff is a minute.
SETTLE_SECONDS = 180.0
LARGE = b"region,amount\n" + b"north,17\n" * 12_000
#: The mailer with a quota that is over in seconds, and without the backoff of five minutes: a test cannot wait for hours.
MAILER = """
from nightmail_common.broker.backoff import Backoff
from nightmail_mailer import delivery, main
delivery.QUOTA_BACKOFF = Backoff(first=2.0, longest=20.0)
delivery.ATTEMPT_BACKOFF = Backoff(first=1.0, longest=20.0)
main.main()
"""


@pytest.fixture
def mailer(nats_server: NatsServer, smtp_server: SmtpServer, event_log: EventLog, tmp_path: Path) -> Iterator[None]:
    assert event_log is not None  # its streams exist
    settings = {"nats_url": nats_server.url, "smtp_host": "127.0.0.1", "smtp_port": str(smtp_server.port)}
    environment = {f"NIGHTMAIL_{name.upper()}": value for name, value in settings.items()}
    environment |= {"PATH": os.environ["PATH"], "NIGHTMAIL_HEALTH_PORT": "0"}
    process = subprocess.Popen([sys.executable, "-c", MAILER], env=environment, cwd=tmp_path)
    yield
    process.kill()
    process.wait()


async def outcomes(log: EventLog) -> AsyncGenerator[MailEvent]:
    async with aclosing(log.follow(["runs.*.mail-sent", "runs.*.mail-failed"])) as mails:
        async for batch in mails:
            for stored in batch:
                if isinstance(event := stored.event(), MailEvent):
                    yield event


@pytest.mark.long
@pytest.mark.timeout(SECONDS + scaled(SETTLE_SECONDS) + scaled(60))
@pytest.mark.usefixtures("mailer")
async def test_every_mail_to_a_valid_recipient_arrives_once(
    smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    seed = int(os.environ.get("SOAK_SEED") or random.randrange(2**32))
    print(f"SOAK_SEED={seed}")  # repeats the order of the servers
    chance = random.Random(seed)
    hostile = HostileServer(smtp_server)
    sent: dict[UUID, ResultReady] = {}
    behaviours: list[str] = []
    end, turn = time.monotonic() + SECONDS, 0.0
    while time.monotonic() < end:
        if time.monotonic() >= turn:
            if not behaviours:
                behaviours = chance.sample(sorted(BEHAVIOURS), len(BEHAVIOURS))
            hostile.behave(behaviours.pop())
            turn = time.monotonic() + TURN_SECONDS
        number = len(sent)
        valid = [f"{number}-{one}@example.com" for one in range(chance.randint(1, 3))]
        recipients = [*valid, *([UNKNOWN] if chance.random() < 0.2 else [])]
        csv, rows = (LARGE, 12_000) if chance.random() < 0.1 else (CSV, 2)
        event = result_of(make_job(job_name=f"job {number}", consumer_emails=recipients), csv, rows)
        await event_log.publish(event)
        sent[event.run_id] = event
        await asyncio.sleep(PAUSE_SECONDS)

    hostile.behave("usual")
    ended: dict[UUID, MailEvent] = {}
    async with asyncio.timeout(scaled(SETTLE_SECONDS)):
        async with aclosing(outcomes(event_log)) as events:
            async for outcome in events:
                ended[outcome.run_id] = outcome
                if len(ended) == len(sent):
                    break
    wanted = Counter(one for event in sent.values() for one in event.job.consumer_emails if one != UNKNOWN)
    assert Counter(smtp_server.recipients) == wanted
    for run_id, mail in ended.items():
        said = {one.address: one.outcome for one in mail.recipients}
        expected = {one: "refused" if one == UNKNOWN else "accepted" for one in sent[run_id].job.consumer_emails}
        assert said == expected, (run_id, mail)
    print(f"{len(sent)} results, {sum(wanted.values())} mails arrived once")
