"""A mailer goes on after events that it cannot read, or can read and whose content no service writes."""

from collections.abc import Callable

import httpx
import pytest

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import MAILER_QUEUE, STREAM
from nightmail_common.contract.events import EVENTS, MailSent
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.mailer_process import MailerProcess, mail_event, mail_events, result_of
from support.plain_http import NO_AUTHORITIES
from support.poison_events import poison_events
from support.smtp_server import SmtpServer

ASK_FOR_MAIL = ("result-ready", "run-failed", "mail-requested")


@pytest.mark.parametrize("seed", range(2))
async def test_an_honest_mail_is_sent_among_poison_events(
    start_mailer: Callable[..., MailerProcess],
    smtp_server: SmtpServer,
    event_log: EventLog,
    make_job: Callable[..., Job],
    seed: int,
) -> None:
    js = event_log._js
    mailer = start_mailer()
    await mailer.ready()
    honest = [result_of(make_job(job_name=f"honest {number}")) for number in range(3)]
    await event_log.publish(honest[0])
    for poison in poison_events("poisoned", seed):
        # The half of the versions is one that nobody reads: what a reader refuses, and what a handler gets.
        for version in (poison.headers["ce-type"], f"nightmail.{poison.name}.v{EVENTS[poison.name].type_version}"):
            await js.publish(poison.subject, poison.data, headers={"ce-type": version})
    await event_log.publish(honest[1])
    assert all(isinstance(event, MailSent) for event in await mail_events(event_log, honest[:2]))

    await event_log.publish(honest[2])
    assert isinstance(await mail_event(event_log, honest[2].run_id), MailSent)
    async with httpx.AsyncClient(verify=NO_AUTHORITIES) as client:
        metrics = (await client.get(f"http://127.0.0.1:{mailer.health_port}/metrics")).text
    for consumer in ("mailer", "unsubscribes", "deleted jobs", "cancelled runs"):
        assert f'nightmail_unreadable_events_total{{queue="{consumer}"}}' in metrics
    assert mailer.process.poll() is None

    async def none_is_left() -> bool:
        queue = await js.consumer_info(STREAM, MAILER_QUEUE.durable)
        return (queue.num_pending, queue.num_ack_pending) == (0, 0)

    await eventually(none_is_left, "no event is delivered again and again")
