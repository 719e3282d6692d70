"""Bounces from an IMAP server: each is published once, no mail is lost, and no secret is in a log."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from pydantic import ValidationError

from mailer.test_bounces import KEY, POSTFIX, headers_for
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.patches import cancel_until_done
from nightmail_common.broker.streams import MAILED
from nightmail_common.contract.events import MailBounced
from nightmail_common.contract.job import Job
from nightmail_common.contract.limits import MAX_BOUNCE_BYTES, MAX_BOUNCES_READ
from nightmail_mailer.bounces.imap_mailbox import ImapMailbox
from nightmail_mailer.bounces.mailbox import MailboxUnavailable
from nightmail_mailer.bounces.notification import TOKEN_HEADER
from nightmail_mailer.bounces.reader import BounceReader
from nightmail_mailer.notices import Notices
from nightmail_mailer.owner_warnings import OwnerWarnings
from nightmail_mailer.records.claims import Claims
from nightmail_mailer.records.log_record import Unsubscribes, bounced_recipients
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.client import SmtpClient
from nightmail_mailer.smtp.pool import SmtpPool
from support.certificates import server_context
from support.deadlines import eventually
from support.imap_server import LOGIN_PASSWORD, PASSWORD, ImapServer
from support.mailer_process import MailerProcess, mail_event, result_of
from support.smtp_server import SmtpServer

MakeJob = Callable[..., Job]
Start = Callable[..., MailerProcess]


@pytest.fixture
def imap_server(tmp_path: Path) -> Iterator[ImapServer]:
    server = ImapServer(server_context(tmp_path))
    server.start()
    yield server
    server.stop()


def settings_for(server: ImapServer, tmp_path: Path, **others: Any) -> dict[str, Any]:
    return {
        "bounce_imap_url": f"imaps://reports%40example.com@127.0.0.1:{server.port}",
        "bounce_imap_password": PASSWORD,
        "smtp_ca": str(tmp_path / "server.pem"),
        "secret_key": KEY,
    } | others


def mailbox_of(server: ImapServer, tmp_path: Path, **others: Any) -> ImapMailbox:
    fields = settings_for(server, tmp_path, **others)
    return ImapMailbox(MailerSettings(smtp_host="127.0.0.1", nats_url="nats://127.0.0.1", **fields))


@asynccontextmanager
async def reading(client: Client, log: EventLog, mailbox: ImapMailbox) -> AsyncIterator[None]:
    """A reader as the mailer builds it, that looks again after a moment."""
    mailbox.poll_seconds = 0.05
    bucket = await client.jetstream().key_value(MAILED)
    smtp = SmtpClient(SmtpPool(MailerSettings(smtp_host="127.0.0.1", nats_url="nats://127.0.0.1")), "a@example.com")
    owners = OwnerWarnings(log, Notices(smtp, Claims(bucket)), Unsubscribes(log), bounced_recipients(log))
    running = asyncio.create_task(BounceReader(mailbox, KEY, log, bucket, owners, None).run())
    try:
        yield
    finally:
        await cancel_until_done({running})


async def bounces(log: EventLog) -> list[MailBounced]:
    found = [stored.event() async for batch in log.replay(["runs.*.mail-bounced"]) for stored in batch]
    return [event for event in found if isinstance(event, MailBounced)]


def dsn_for(make_job: MakeJob, recipient: str = "a@example.com") -> str:
    return POSTFIX.format(action="failed", mail=headers_for(make_job(), recipient))


async def test_the_mailer_reads_bounces_from_an_imap_server_over_tls(
    start_mailer: Start,
    smtp_server: SmtpServer,
    imap_server: ImapServer,
    event_log: EventLog,
    make_job: MakeJob,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    imap_server.deliver("From: somebody\n\nthank you\n")
    imap_server.deliver(dsn_for(make_job, "other@example.com"))
    mailer = start_mailer(**settings_for(imap_server, tmp_path))
    await eventually(lambda: not imap_server.unseen, "all mails are seen")
    [bounce] = await bounces(event_log)
    assert (bounce.address, bounce.status) == ("other@example.com", "5.1.1")
    event = result_of(make_job())
    await event_log.publish(event)
    await mail_event(event_log, event.run_id)
    assert smtp_server.mails[0][TOKEN_HEADER] is not None
    assert mailer.stop() == 0
    assert PASSWORD not in "".join(capfd.readouterr())


async def test_a_mail_that_could_not_be_marked_is_read_again_and_published_once(
    nats_client: Client, event_log: EventLog, imap_server: ImapServer, make_job: MakeJob, tmp_path: Path
) -> None:
    faults = ["drop", "NO [SERVERBUG] try again"]
    imap_server.fault = lambda command: faults.pop(0) if "STORE" in command and faults else None
    imap_server.deliver(dsn_for(make_job))
    async with reading(nats_client, event_log, mailbox_of(imap_server, tmp_path)):
        await eventually(lambda: not imap_server.unseen, "the mail is seen")
    assert sum("STORE" in command for command in imap_server.commands) == 3
    assert len(await bounces(event_log)) == 1


async def test_two_mailers_and_a_notification_that_comes_twice_make_one_event(
    nats_client: Client, event_log: EventLog, imap_server: ImapServer, make_job: MakeJob, tmp_path: Path
) -> None:
    dsn = dsn_for(make_job)
    for _ in range(4):
        imap_server.deliver(dsn)
    first, second = mailbox_of(imap_server, tmp_path), mailbox_of(imap_server, tmp_path)
    async with reading(nats_client, event_log, first), reading(nats_client, event_log, second):
        await eventually(lambda: not imap_server.unseen, "all mails are seen")
    assert len(await bounces(event_log)) == 1


async def test_a_mail_that_the_server_cannot_return_does_not_stop_those_behind_it(
    nats_client: Client, event_log: EventLog, imap_server: ImapServer, make_job: MakeJob, tmp_path: Path
) -> None:
    damaged = imap_server.deliver("damaged")
    imap_server.deliver(dsn_for(make_job))
    imap_server.fault = lambda command: "NO damaged" if f"FETCH {damaged} " in command else None
    async with reading(nats_client, event_log, mailbox_of(imap_server, tmp_path)):
        await eventually(lambda: imap_server.unseen == [damaged], "the other mail is seen")
    assert len(await bounces(event_log)) == 1


async def test_a_large_mail_is_read_up_to_the_ceiling_and_a_hundred_mails_at_a_time(
    imap_server: ImapServer, make_job: MakeJob, tmp_path: Path
) -> None:
    uid = imap_server.deliver(dsn_for(make_job) + "x" * 5_000_000)
    for _ in range(MAX_BOUNCES_READ + 5):
        imap_server.deliver("one more")
    mailbox = mailbox_of(imap_server, tmp_path)
    names = await mailbox.unread()
    assert (len(names), names[0]) == (MAX_BOUNCES_READ, str(uid))
    assert len(await mailbox.read(names[0]) or b"") == MAX_BOUNCE_BYTES
    assert uid in imap_server.unseen, "only mark() marks"
    assert await mailbox.read("4000") is None
    await mailbox.close()


@pytest.mark.parametrize(
    ("mechanisms", "fields", "used"),
    [
        (["PLAIN"], {}, "PLAIN True"),
        ([], {"bounce_imap_password": LOGIN_PASSWORD}, "LOGIN True"),
        (["PLAIN"], {"bounce_imap_password": "wrong"}, "PLAIN False"),
        ([], {"bounce_imap_password": "wrong"}, "LOGIN False"),
    ],
)
async def test_the_mailer_signs_in_with_the_password(
    imap_server: ImapServer, tmp_path: Path, mechanisms: list[str], fields: dict[str, str], used: str
) -> None:
    imap_server.mechanisms = mechanisms
    mailbox = mailbox_of(imap_server, tmp_path, **fields)
    if used.endswith("True"):
        assert await mailbox.unread() == []
    else:
        with pytest.raises(
            MailboxUnavailable, match=r"refuses the user name.*NIGHTMAIL_BOUNCE_IMAP_PASSWORD"
        ) as refused:
            await mailbox.unread()
        assert "wrong" not in str(refused.value)
    await mailbox.close()
    assert imap_server.sign_ins == [used]


async def test_the_mailer_signs_in_with_the_access_token_and_asks_for_another_after_a_refusal(
    imap_server: ImapServer, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("old-token")
    imap_server.token = "new-token"
    oauth = {
        "bounce_imap_password": None,
        "smtp_auth": "xoauth2",
        "smtp_username": "reports@example.com",
        "smtp_token_command": f"cat {token}",
    }
    mailbox = mailbox_of(imap_server, tmp_path, **oauth)
    with pytest.raises(MailboxUnavailable, match="the access token") as refused:
        await mailbox.unread()
    assert "old-token" not in str(refused.value)
    await mailbox.close()
    token.write_text("new-token")
    assert await mailbox.unread() == []
    await mailbox.close()
    assert imap_server.sign_ins == ["XOAUTH2 False", "XOAUTH2 True"]


async def test_a_server_without_a_trusted_certificate_gets_no_password(imap_server: ImapServer, tmp_path: Path) -> None:
    mailbox = mailbox_of(imap_server, tmp_path, smtp_ca=None)
    with pytest.raises(MailboxUnavailable, match="certificate"):
        await mailbox.unread()
    await mailbox.close()
    assert imap_server.sign_ins == []


async def test_a_mailbox_that_does_not_exist_is_named(imap_server: ImapServer, tmp_path: Path) -> None:
    url = f"imaps://reports%40example.com@127.0.0.1:{imap_server.port}/Bounces%20of%20us"
    mailbox = mailbox_of(imap_server, tmp_path, bounce_imap_url=url)
    with pytest.raises(MailboxUnavailable, match=r"no mailbox 'Bounces of us'.*no such mailbox"):
        await mailbox.unread()
    await mailbox.close()


async def test_a_mailer_stops_at_once_while_the_imap_server_hangs(
    start_mailer: Start, imap_server: ImapServer, event_log: EventLog, tmp_path: Path
) -> None:
    assert event_log is not None
    imap_server.fault = lambda command: "hang" if "SEARCH" in command else None
    mailer = start_mailer(**settings_for(imap_server, tmp_path))
    await mailer.ready()
    await eventually(lambda: any("SEARCH" in command for command in imap_server.commands), "the mailer waits")
    assert mailer.stop(10) == 0


@pytest.mark.parametrize(
    "url",
    [
        "imap://reports@imap.example.com",
        "imaps://imap.example.com/INBOX",
        "imaps://reports:secret@imap.example.com/INBOX",
        "imaps://reports@imap.example.com/Ent%C3%BCrfe",
        "imaps://reports@imap.example.com/INBOX%0D%0Ax",
        "imaps://reports@imap.example.com:notaport/INBOX",
        "reports@imap.example.com",
    ],
)
def test_an_address_that_is_no_imaps_url_with_a_user_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MailerSettings(
            smtp_host="127.0.0.1",
            nats_url="nats://127.0.0.1",
            secret_key=KEY,
            bounce_imap_url=url,
            bounce_imap_password="secret",
        )
    assert refused.value.errors()[0]["loc"] == ("bounce_imap_url",)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"bounce_imap_password": None}, "needs NIGHTMAIL_BOUNCE_IMAP_PASSWORD"),
        ({"secret_key": None}, "NIGHTMAIL_BOUNCE_IMAP_URL needs it"),
        ({"bounce_maildir": "maildir"}, "not both"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    imap_server: ImapServer, tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    if "bounce_maildir" in fields:
        for part in ("new", "cur", "tmp"):
            (tmp_path / "maildir" / part).mkdir(parents=True)
        fields = {"bounce_maildir": str(tmp_path / "maildir")}
    with pytest.raises(ValidationError, match=reason):
        mailbox_of(imap_server, tmp_path, **fields)
