"""Mails that wait because the SMTP server takes none are in the log, so that the ledger and the run list them."""

from collections.abc import Callable

import pytest

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import MAILED
from nightmail_common.contract.events import MailDeferred
from nightmail_common.contract.job import Job
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.delivery import MailDelivery
from nightmail_mailer.records.delivery_ledger import DeliveryLedger, LedgerEntry, ledger_key
from nightmail_mailer.records.log_record import deleted_jobs
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.client import SmtpClient
from nightmail_mailer.smtp.pool import SmtpPool
from support.deadlines import eventually
from support.mailer_process import events_of, result_of


async def test_a_mail_that_the_pool_holds_back_is_reported_as_waiting_at_most_hourly(
    event_log: EventLog, make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_mailer.delivery.HOLD_REPORT_SECONDS", 0.05)
    pool = SmtpPool(MailerSettings(smtp_host="127.0.0.1", smtp_port=1, nats_url="nats://127.0.0.1"))
    ledger = DeliveryLedger(await event_log._js.key_value(MAILED))
    smtp = SmtpClient(pool, "nightmail@example.com")
    delivery = MailDelivery(event_log, smtp, ledger, deleted_jobs(event_log), None)
    event = result_of(make_job(consumer_emails=["has@example.com", "waits@example.com"]))
    mail_job = MailJob(event.job, event.run_id, "result", event.job.consumer_emails)
    key = ledger_key(event.run_id, "result", "has@example.com", None, None)
    await ledger.record(key, LedgerEntry(outcome="accepted", answer="250 ok"))

    async def deferrals() -> list[MailDeferred]:
        return [one for one in await events_of(event_log, event.run_id) if isinstance(one, MailDeferred)]

    pool._set_unreachable("connection refused")
    for _ in range(2):  # as two mailers do, or one that is started again
        async with delivery.reporting_hold(mail_job):
            [reported] = await eventually(deferrals, "the mail is reported")
    [waiting] = reported.recipients
    assert (waiting.address, waiting.answer) == ("waits@example.com", "127.0.0.1:1: connection refused")
    assert waiting.since < waiting.next_attempt
    assert [one.address for one in reported.settled] == ["has@example.com"]
    assert len(await deferrals()) == 1


async def test_a_mail_of_a_server_that_takes_mail_is_not_reported(
    event_log: EventLog, make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_mailer.delivery.HOLD_REPORT_SECONDS", 0.0)
    pool = SmtpPool(MailerSettings(smtp_host="127.0.0.1", smtp_port=1, nats_url="nats://127.0.0.1"))
    pool._set_reachable()
    ledger = DeliveryLedger(await event_log._js.key_value(MAILED))
    delivery = MailDelivery(event_log, SmtpClient(pool, "a@example.com"), ledger, deleted_jobs(event_log), None)
    event = result_of(make_job())
    async with delivery.reporting_hold(MailJob(event.job, event.run_id, "result", event.job.consumer_emails)):
        assert await events_of(event_log, event.run_id) == []
