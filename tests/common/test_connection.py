"""The connection to NATS: it waits, reconnects, and logs errors without passwords."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats.errors
import nkeys
import pytest
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import SecretStr
from structlog.testing import capture_logs

from nightmail_common.broker import connection, patches
from nightmail_common.broker.connection import AUDITOR, connect, connect_options, seed_file, without_passwords
from nightmail_common.contract.errors import CannotStart
from nightmail_common.service.settings import ServiceSettings
from support.deadlines import eventually, scaled
from support.nats_server import NatsServer
from support.ports import free_port

PASSWORD = "hunter2"


@pytest.fixture(autouse=True)
def _every_line_is_seen() -> None:
    """A command that another test ran in this process has set up its own log."""
    structlog.reset_defaults()


@asynccontextmanager
async def connected(settings: ServiceSettings, user: str = AUDITOR) -> AsyncIterator[Client]:
    client = await asyncio.wait_for(connect(settings, "test", user), scaled(20))
    yield client
    await client.close()


@asynccontextmanager
async def broker(folder: Path, port: int) -> AsyncIterator[None]:
    """Run a nats-server that asks for a password."""
    (folder / "nats.conf").write_text(
        f"host: 127.0.0.1\nport: {port}\nauthorization {{ user: me, password: {PASSWORD} }}\n"
    )
    executable = Path(sys.executable).parent / "nats-server"
    with (folder / "nats.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(executable, "-c", folder / "nats.conf", stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def test_a_connection_waits_for_its_broker(tmp_path: Path) -> None:
    port = free_port()
    settings = ServiceSettings(nats_url=f"nats://127.0.0.1:{port}", nats_user="me", nats_password=SecretStr(PASSWORD))
    with capture_logs() as lines:
        connecting = asyncio.create_task(connect(settings, "test"))
        await eventually(lambda: lines, "the error is logged")
        async with broker(tmp_path, port):
            client = await asyncio.wait_for(connecting, scaled(20))
            assert client.is_connected
            assert [line["event"] for line in lines] == ["nats_unreachable", "nats_connected"]
            await client.close()


async def test_a_line_about_a_connection_names_its_server(nats_server: NatsServer) -> None:
    with capture_logs() as lines:
        async with connected(ServiceSettings(nats_url=nats_server.url)):
            nats_server.restart()
            reconnected = "nats_reconnected"
            await eventually(lambda: reconnected in [line["event"] for line in lines], "the connection is back")
    servers = [(line["event"], line["server"]) for line in lines if "server" in line][:3]  # the close is a loss, too
    address = nats_server.url.removeprefix("nats://")
    assert servers == [(f"nats_{event}", address) for event in ("connected", "disconnected", "reconnected")]


async def test_a_reconnect_restores_the_subscriptions(nats_server: NatsServer) -> None:
    async with connected(ServiceSettings(nats_url=nats_server.url)) as client:
        heard = await client.subscribe("news")
        nats_server.restart()
        await eventually(lambda: client.stats["reconnects"] > 0 and client.is_connected, "the connection is back")
        await client.publish("news", b"still here")
        assert (await heard.next_msg(timeout=scaled(10))).data == b"still here"


async def test_a_publish_that_timed_out_is_not_sent_later(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patches, "PUBLISH_WAIT_SECONDS", 0.1)
    async with connected(ServiceSettings(nats_url=nats_server.url)) as client:
        heard = await client.subscribe("news")
        nats_server.kill()
        await eventually(lambda: client.is_reconnecting, "the connection is lost")
        with pytest.raises(nats.errors.TimeoutError):
            await client.publish("news", b"late")
        nats_server.start()
        await eventually(lambda: client.is_connected, "the connection is back")
        await client.publish("news", b"in time")
        assert (await heard.next_msg(timeout=scaled(10))).data == b"in time"


async def test_a_publish_waits_for_the_reconnect(nats_server: NatsServer) -> None:
    async with connected(ServiceSettings(nats_url=nats_server.url)) as client:
        heard = await client.subscribe("news")
        nats_server.kill()
        await eventually(lambda: client.is_reconnecting, "the connection is lost")
        sending = asyncio.create_task(client.publish("news", b"waited"))
        nats_server.start()
        await sending
        assert (await heard.next_msg(timeout=scaled(10))).data == b"waited"


async def test_a_connection_uses_the_next_broker_if_the_first_is_away(nats_server: NatsServer) -> None:
    async with connected(ServiceSettings(nats_url=f"nats://127.0.0.1:{free_port()}, {nats_server.url}")) as client:
        assert client.is_connected


@pytest.mark.parametrize("where", ["url", "setting"])
async def test_a_wrong_password_is_logged_once_and_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(connection, "CONNECT_WAIT_SECONDS", 0.02)
    port, refusals = free_port(), tmp_path / "nats.log"
    wrong = f"not-{PASSWORD}"
    settings = (
        ServiceSettings(nats_url=f"nats://me:{wrong}@127.0.0.1:{port}")
        if where == "url"
        else ServiceSettings(nats_url=f"nats://127.0.0.1:{port}", nats_user="me", nats_password=SecretStr(wrong))
    )
    async with broker(tmp_path, port):
        with capture_logs() as lines:
            connecting = asyncio.create_task(connect(settings, "test"))
            await eventually(lambda: refusals.read_text().count("authentication error") >= 4, "it has tried four times")
            connecting.cancel()
            await asyncio.wait({connecting})
    assert PASSWORD not in str(lines)
    logged = [line["error"] for line in lines if line["event"] == "nats_error"]
    assert "nats: 'Authorization Violation'" in logged
    assert len(logged) == len(set(logged))


async def test_each_user_has_an_inbox_prefix_of_its_own(nats_server: NatsServer) -> None:
    settings = ServiceSettings(nats_url=nats_server.url)
    async with connected(settings, "runner") as runner, connected(settings) as auditor:
        assert runner.new_inbox().startswith("_INBOX_runner.")
        assert auditor.new_inbox().startswith("_INBOX.")


def test_a_user_without_a_seed_cannot_start(tmp_path: Path) -> None:
    settings = ServiceSettings(nats_seeds=tmp_path)
    with pytest.raises(CannotStart) as raised:
        connect_options(settings, "test", "runner")
    assert str(raised.value) == f"setting NIGHTMAIL_NATS_SEEDS: {tmp_path}/runner.nk: No such file or directory"
    seed_file(tmp_path, "runner").write_text("seed")
    with pytest.raises(CannotStart) as raised:
        connect_options(settings, "test", "runner")
    assert str(raised.value) == f"setting NIGHTMAIL_NATS_SEEDS: {tmp_path}/runner.nk: not the seed of a NATS user"
    seed_file(tmp_path, "runner").write_bytes(nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_USER))
    assert connect_options(settings, "test", "runner")["nkeys_seed"] == f"{tmp_path}/runner.nk"


@pytest.mark.parametrize(
    ("urls", "shown"),
    [
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
        (f"nats://me:{PASSWORD}@a.example.com:4222", "nats://a.example.com:4222"),
        (f"nats://{PASSWORD}@a:4222, tls://me:p@{PASSWORD}@b", "nats://a:4222, tls://b"),
        (f"me:{PASSWORD}@a:4222,me:{PASSWORD}@b:4222", "a:4222,b:4222"),
    ],
)
def test_a_url_is_shown_without_user_and_password(urls: str, shown: str) -> None:
    assert without_passwords(urls) == shown


async def test_a_flush_that_is_cancelled_does_not_end_the_connection(nats_server: NatsServer) -> None:
    async with connected(ServiceSettings(nats_url=nats_server.url)) as client:
        for _ in range(20):
            flushing = asyncio.create_task(client.flush())
            await asyncio.sleep(0)  # it has sent its PING
            flushing.cancel()
            await client.flush()  # its own PONG comes behind the other's
        assert (client.is_connected, client.stats["reconnects"], client.stats["errors_received"]) == (True, 0, 0)


async def test_a_flush_returns_once_the_server_has_the_subscription(nats_server: NatsServer) -> None:
    async def answer(message: Msg) -> None:
        await message.respond(b"here")

    settings = ServiceSettings(nats_url=nats_server.url)
    async with connected(settings) as responder, connected(settings) as asker:
        for number in range(200):
            await responder.subscribe(f"questions.{number}", cb=answer)
            await responder.flush()
            # Without the subscription, the server answers at once that there is no responder.
            assert (await asker.request(f"questions.{number}", timeout=scaled(10))).data == b"here"
