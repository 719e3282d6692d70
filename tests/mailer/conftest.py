"""Mailers on the session's broker, and an SMTP server whose hooks a test sets."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nightmail_common.broker.log import EventLog
from support.mailer_process import MailerProcess
from support.nats_server import NatsServer
from support.smtp_server import SmtpServer


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    server = SmtpServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def start_mailer(
    nats_server: NatsServer, smtp_server: SmtpServer, event_log: EventLog, tmp_path: Path
) -> Iterator[Callable[..., MailerProcess]]:
    """Start mailers on the session's broker; kill those that still run at the end."""
    started: list[MailerProcess] = []

    def start(**settings: str) -> MailerProcess:
        started.append(MailerProcess(nats_server, smtp_server.port, tmp_path, **settings))
        return started[-1]

    yield start
    for mailer in started:
        mailer.kill()
