"""An SMTP server that fails under load: every mail arrives, once.

The server is down for 3 s here. This makes it two minutes:

    OUTAGE_SECONDS=120 pytest -s --timeout 600 tests/mailer/test_faults.py
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import MailFailed, MailSent
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.mailer_process import MailerProcess, result_of
from support.smtp_server import DROP, SmtpServer

OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "3"))
#: Results a second while the server is down and before and after.
LOAD = 20
#: From the server's return to the last mail; the pool probes it every 30 s at most.
CATCH_UP_SECONDS = 240

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]


class MailOutcomes:
    """The outcomes of mails, as the log receives them."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.sent: list[MailSent] = []
        self.failed: list[MailFailed] = []

    async def follow(self) -> None:
        async for batch in self._log.follow(["runs.*.mail-sent", "runs.*.mail-failed"]):
            for stored in batch:
                event = stored.event()
                if isinstance(event, MailSent):
                    self.sent.append(event)
                elif isinstance(event, MailFailed):
                    self.failed.append(event)


async def publish(log: EventLog, make_job: MakeJob, count: int, seconds: float) -> None:
    """Publish results evenly over a time, each for another recipient."""
    begun = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + number * seconds / count - time.monotonic()))
        await log.publish(result_of(make_job(consumer_emails=[f"{random.getrandbits(64):x}@example.com"])))


async def test_a_server_that_was_down_under_load_gets_every_mail_once(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    mailer = start_mailer()
    await mailer.ready()
    outcomes = MailOutcomes(event_log)
    following = asyncio.create_task(outcomes.follow())
    seconds = OUTAGE_SECONDS + 2
    count = round(LOAD * seconds)
    publishing = asyncio.create_task(publish(event_log, make_job, count, seconds))
    await eventually(lambda: len(smtp_server.recipients) > LOAD, "mail flows")
    smtp_server.stop()
    before = len(smtp_server.recipients)

    async def gives_the_reason() -> bool:
        reason: str = (await mailer.readiness())["dependencies"]["smtp"]
        return reason == f"127.0.0.1:{smtp_server.port}: connection refused"

    await eventually(gives_the_reason, "readiness says that the server is unreachable")
    await asyncio.sleep(OUTAGE_SECONDS)  # the outage itself
    assert len(smtp_server.recipients) == before
    smtp_server.start()
    back_at = time.monotonic()
    await publishing
    await eventually(
        lambda: len(outcomes.sent) + len(outcomes.failed) == count, "the log has every outcome", CATCH_UP_SECONDS
    )
    print(
        f"\ndown for {OUTAGE_SECONDS:.0f} s, {count} mails, all outcomes {time.monotonic() - back_at:.1f} s after its return"
    )
    following.cancel()
    await mailer.ready()
    assert not outcomes.failed
    recipients = Counter(smtp_server.recipients)
    assert len(recipients) == count
    lost_after_data = sum("may have arrived twice" in one.recipients[0].answer for one in outcomes.sent)
    assert recipients.total() - count <= lost_after_data
    assert len({mail["Message-ID"] for mail in smtp_server.mails}) == count


async def test_a_server_that_fails_in_every_way_at_once_gets_every_mail(
    start_mailer: Start, smtp_server: SmtpServer, event_log: EventLog, make_job: MakeJob
) -> None:
    """451 to every other mail, connections dropped after DATA before or after the mail is kept, and mails that hang."""
    faults = iter(["451", "hang"] * 5 + ["451", "drop", "451", "drop when kept", "451", ""] * 15)
    fault: dict[str, str] = {}

    async def on_rcpt(recipient: str) -> str | None:
        fault[recipient] = "" if recipient in fault else next(faults)
        return "451 later" if fault[recipient] == "451" else None

    async def after_data(recipient: str) -> str | None:
        if fault[recipient] == "hang":
            await asyncio.sleep(4)
        return DROP if fault[recipient] == "drop" else None

    async def after_accepting(recipient: str) -> str | None:
        return DROP if fault[recipient] == "drop when kept" else None

    smtp_server.on_rcpt, smtp_server.after_data, smtp_server.after_accepting = on_rcpt, after_data, after_accepting
    start_mailer()
    outcomes = MailOutcomes(event_log)
    following = asyncio.create_task(outcomes.follow())
    await publish(event_log, make_job, 100, 0.5)
    await eventually(
        lambda: len(outcomes.sent) + len(outcomes.failed) == 100, "the log has every outcome", CATCH_UP_SECONDS
    )
    following.cancel()
    assert not outcomes.failed
    recipients = Counter(smtp_server.recipients)
    assert len(recipients) == 100
    assert recipients.total() == 115, "a mail whose connection was dropped after the server kept it arrives twice"
    assert len({mail["Message-ID"] for mail in smtp_server.mails}) == 100
