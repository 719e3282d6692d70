"""The mailer cannot go on without its follower of the unsubscribes: somebody who unsubscribed would get a mail."""

import os
import subprocess
import sys

from support.deadlines import scaled
from support.nats_server import NatsServer

#: `follow` is the mailer's only endless read of the log.
CODE = """
from nightmail_common.broker.log import EventLog
from nightmail_mailer.main import main

async def follow(*args, **kwargs):
    raise RuntimeError("the log has a hole")
    yield

EventLog.follow = follow
main()
"""


def test_a_mailer_whose_follower_dies_ends_with_exit_code_1_and_the_cause(nats_server: NatsServer) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "NIGHTMAIL_NATS_URL": nats_server.url, "NIGHTMAIL_SMTP_HOST": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=scaled(30),
        check=False,
    )
    assert ended.returncode == 1
    assert "service_failed" in ended.stderr
    assert "the background task unsubscribes ended" in ended.stderr
    assert "RuntimeError: the log has a hole" in ended.stderr
