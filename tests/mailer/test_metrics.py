"""The mailer's Prometheus metrics."""

from collections.abc import Callable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.mailer_process import MailerProcess, mail_event, result_of
from support.plain_http import NO_AUTHORITIES
from support.smtp_server import Once, SmtpServer


async def metrics(mailer: MailerProcess) -> dict[str, float]:
    """Return each sample by its name and its labels' values, in order."""
    async with httpx.AsyncClient(verify=NO_AUTHORITIES) as client:
        text = (await client.get(f"http://127.0.0.1:{mailer.health_port}/metrics")).text
    return {
        " ".join(
            (sample.name, *(sample.labels[label] for label in sorted(sample.labels) if label != "le"))
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_mails_are_counted_by_outcome_and_an_unreachable_server_is_visible(
    start_mailer: Callable[..., MailerProcess],
    smtp_server: SmtpServer,
    event_log: EventLog,
    make_job: Callable[..., Job],
) -> None:
    mailer = start_mailer()
    await mailer.ready()
    before = await metrics(mailer)
    assert before["nightmail_mailer_lost_reports_total result"] == 0
    assert before["nightmail_mailer_mails_total failure refused"] == 0
    assert before["nightmail_mailer_sender_refused"] == 0

    async def refuse_nobody(recipient: str) -> str | None:
        return "550 no such user" if recipient.startswith("nobody") else None

    smtp_server.on_rcpt = refuse_nobody
    smtp_server.after_data = Once("451 later")
    event = result_of(make_job(consumer_emails=["a@example.com", "nobody@example.com"]))
    await event_log.publish(event)
    await mail_event(event_log, event.run_id)
    counted = await metrics(mailer)
    assert counted["nightmail_mailer_mails_total result accepted"] == 1
    assert counted["nightmail_mailer_mails_total result refused"] == 1
    assert counted["nightmail_mailer_tries_total deferred result"] == 1
    assert counted["nightmail_mailer_smtp_duration_seconds_count"] == 2
    assert counted["nightmail_mailer_breaker_open"] == 0
    assert counted["nightmail_mailer_hanging_mails"] == 0
    assert "nightmail_mailer_queue_waiting" in counted
    lost = result_of(make_job(consumer_emails=["nobody@example.com"]))
    await event_log.publish(lost)
    await mail_event(event_log, lost.run_id)
    assert (await metrics(mailer))["nightmail_mailer_lost_reports_total result"] == 1
    smtp_server.stop()
    await event_log.publish(result_of(make_job()))

    async def is_unreachable() -> bool:
        return (await metrics(mailer))["nightmail_mailer_breaker_open"] == 1

    await eventually(is_unreachable, "the metric shows the unreachable server")
