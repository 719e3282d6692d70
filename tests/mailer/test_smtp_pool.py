"""Which sends get a connection when the server hangs, turns connections away, or is unreachable."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp import pool as smtp_pool
from nightmail_mailer.smtp.client import SmtpClient
from nightmail_mailer.smtp.pool import SendSlot, SmtpPool
from support.deadlines import eventually
from support.smtp_server import SmtpServer


@pytest.fixture
async def pool(smtp_server: SmtpServer) -> AsyncIterator[SmtpPool]:
    settings = MailerSettings(nats_url="nats://127.0.0.1:4222", smtp_host="127.0.0.1", smtp_port=smtp_server.port)
    made = SmtpPool(settings)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await made.close()


class Sender:
    """A send that hangs: it holds its slot until `release`, or until the pool aborts its connection."""

    def __init__(self, pool: SmtpPool, *, after_data: bool = False) -> None:
        self.slot: SendSlot | None = None
        self._after_data = after_data
        self._released = False
        self._task = asyncio.create_task(self._hold(pool))

    async def _hold(self, pool: SmtpPool) -> None:
        async with pool.send_slot() as self.slot:
            if self._after_data:
                self.slot.data_sent_at = self.slot.began_at
            await eventually(lambda: self._released or self.was_aborted, "the send ends", 60)

    @property
    def was_aborted(self) -> bool:
        return self.slot is not None and not self.slot.connection.is_connected

    async def release(self) -> None:
        self._released = True
        await self._task


async def release_all(senders: list[Sender]) -> None:
    for sender in senders:
        await sender.release()


async def test_the_oldest_slow_send_is_aborted_once_too_many_are_slow(
    pool: SmtpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_pool, "MAX_SENDING", 1)
    monkeypatch.setattr(smtp_pool, "MAX_SLOW", 2)
    monkeypatch.setattr(smtp_pool, "SLOW_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(smtp_pool, "ABORT_AFTER_SECONDS", 0.2)
    senders = [Sender(pool) for _ in range(4)]
    await eventually(lambda: senders[3].slot, "the fourth send has a slot")
    assert [sender.was_aborted for sender in senders] == [True, False, False, False]
    await eventually(lambda: pool.slow_sends == 3, "the three others are slow")
    await release_all(senders)
    assert pool.slow_sends == 0


async def test_a_send_that_waits_for_the_reply_to_its_data_is_not_aborted_for_the_next(
    pool: SmtpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_pool, "MAX_SENDING", 1)
    monkeypatch.setattr(smtp_pool, "MAX_SLOW", 1)
    monkeypatch.setattr(smtp_pool, "SLOW_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(smtp_pool, "ABORT_AFTER_SECONDS", 0.2)
    first, second = Sender(pool, after_data=True), Sender(pool)
    await eventually(lambda: second.slot, "the second send has a slot")
    third = Sender(pool)
    await eventually(lambda: third.slot, "the third send has a slot")
    assert [first.was_aborted, second.was_aborted] == [False, True]
    await release_all([first, second, third])


async def test_a_slow_send_is_aborted_when_the_server_turns_further_connections_away(
    pool: SmtpPool, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_pool, "SLOW_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(smtp_pool, "ABORT_AFTER_SECONDS", 0.5)
    smtp_server.max_connections = 2
    senders = [Sender(pool) for _ in range(3)]
    await eventually(lambda: senders[2].slot, "the third send has a slot")
    assert [sender.was_aborted for sender in senders] == [True, False, False]
    assert pool.unreachable_reason is None
    await release_all(senders)


async def test_more_sends_than_the_limit_wait_for_each_other_and_share_its_connections(
    pool: SmtpPool, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_pool, "SLOW_AFTER_SECONDS", 60)
    senders = [Sender(pool) for _ in range(2 * smtp_pool.MAX_SENDING)]
    early, late = senders[: smtp_pool.MAX_SENDING], senders[smtp_pool.MAX_SENDING :]
    await eventually(lambda: all(sender.slot for sender in early), "as many as the limit have a slot")
    assert not any(sender.slot for sender in late)
    await release_all(early)
    await eventually(lambda: all(sender.slot for sender in late), "the others have a slot")
    assert smtp_server.open_connections <= smtp_pool.MAX_SENDING
    await release_all(late)


async def test_a_send_waits_for_a_server_that_is_down_and_goes_on_once_a_probe_finds_it(
    pool: SmtpPool, smtp_server: SmtpServer
) -> None:
    await pool.until_reachable()
    await pool.close()  # no idle connection is kept
    smtp_server.stop()
    sender = Sender(pool)
    reason = f"127.0.0.1:{smtp_server.port}: connection refused"
    await eventually(lambda: pool.unreachable_reason == reason, "the pool says why the server is unreachable")
    assert sender.slot is None
    smtp_server.start()
    await eventually(lambda: sender.slot, "the send has a slot")
    assert pool.unreachable_reason is None
    await sender.release()


async def test_a_server_that_is_down_from_the_start_is_logged_with_the_reason(smtp_server: SmtpServer) -> None:
    settings = MailerSettings(nats_url="nats://127.0.0.1:4222", smtp_host="127.0.0.1", smtp_port=smtp_server.port)
    smtp_server.stop()
    pool = SmtpPool(settings)
    with capture_logs() as lines:
        running = asyncio.create_task(pool.run())
        try:
            await eventually(lambda: bool(lines), "an attempt has failed")
        finally:
            smtp_server.start()
        await eventually(lambda: pool.unreachable_reason is None, "a probe finds it")
    running.cancel()
    await pool.close()
    assert [line["event"] for line in lines] == ["smtp_unreachable", "smtp_reachable"]
    assert str(smtp_server.port) in lines[0]["reason"]


async def test_a_mail_is_rendered_only_once_it_has_a_connection(pool: SmtpPool, smtp_server: SmtpServer) -> None:
    """A hundred recipients of a large attachment wait without a copy of it each."""
    await pool.until_reachable()
    await pool.close()  # no idle connection is kept
    smtp_server.stop()
    rendered: list[str] = []

    def render_for(recipient: str) -> bytes:
        rendered.append(recipient)
        return f"To: {recipient}\r\n\r\nhello\r\n".encode()

    sending = asyncio.create_task(SmtpClient(pool, "nightmail@example.com").send(render_for, "a@example.com"))
    await eventually(lambda: pool.unreachable_reason, "the server is unreachable")
    assert rendered == []
    smtp_server.start()
    assert (await sending).outcome == "accepted"
    assert rendered == smtp_server.recipients == ["a@example.com"]
