"""The mail catcher as a process: an SMTP server that stores each mail."""

import email
import email.policy
import mailbox
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deadlines import scaled, wait_until
from support.ports import free_port


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "nightmail_cli.local.mail_catcher",
        "--port",
        str(port),
        "--mailbox",
        str(tmp_path / "box"),
    ]
    process = subprocess.Popen(command)

    def answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    wait_until(answers, "the catcher listens")
    yield port
    process.terminate()
    assert process.wait(timeout=scaled(10)) == 0


def test_a_mail_is_stored_unchanged_with_its_envelope(catcher: int, tmp_path: Path) -> None:
    with smtplib.SMTP("127.0.0.1", catcher) as smtp:
        smtp.sendmail(
            "from@example.com", ["a@example.com", "b@example.com"], "Subject: hello\r\n\r\nline\r\n..dots\r\n"
        )
    [kept] = mailbox.Maildir(tmp_path / "box", create=False)
    mail = email.message_from_bytes(kept.as_bytes(), policy=email.policy.default)
    assert mail["X-Envelope-From"] == "from@example.com"
    assert mail["X-Envelope-To"] == "a@example.com, b@example.com"
    assert mail["Subject"] == "hello"
    assert str(mail.get_payload()).splitlines() == ["line", "..dots"]


def test_several_mails_in_one_connection_are_several_files(catcher: int, tmp_path: Path) -> None:
    with smtplib.SMTP("127.0.0.1", catcher) as smtp:
        for number in range(5):
            smtp.sendmail("from@example.com", ["a@example.com"], f"Subject: {number}\r\n\r\n")
    subjects = {mail["Subject"] for mail in mailbox.Maildir(tmp_path / "box", create=False)}
    assert subjects == {"0", "1", "2", "3", "4"}
