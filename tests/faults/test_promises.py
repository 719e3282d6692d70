"""Random faults in the whole system: every promise holds for every seed."""

import json
import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from e2e.conftest import Nightmail
from nightmail_common.contract.schedule import Schedule
from support.deadlines import scaled, wait_until
from support.faults.broker import Broker
from support.faults.chaos import Chaos
from support.faults.promises import MINUTE, Auditor, Mailed, answers
from support.faults.source import MoodySource
from support.job_requests import job_request
from support.smtp_server import SmtpServer

SHORT_SECONDS = 20.0
#: Work in progress at the last fault may wait for its longest backoff.
SETTLE_SECONDS = 120.0
JOBS = 5
EVERY_MINUTE = "* * * * *"


class Users:
    """Requests runs all the time, and records the accepted ones."""

    def __init__(self, system: Nightmail) -> None:
        self.accepted: set[str] = set()
        self._system = system
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._request_runs)
        self._thread.start()

    def _request_runs(self) -> None:
        number = 0
        while not self._stop.wait(0.3):
            number += 1
            headers = {"Authorization": f"Bearer {self._system.token}", "Idempotency-Key": str(number)}
            try:
                url = f"{self._system.url}/jobs/job {number % JOBS}/run"
                answer = httpx.post(url, headers=headers, timeout=3)
            except (httpx.TransportError, OSError):
                continue
            if answer.status_code == 202:
                self.accepted.add(answer.json()["run_id"])

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Broker(folder)
    broker.start()
    broker.wait_until_ready()
    yield broker
    broker.close()


@pytest.fixture
def source() -> Iterator[MoodySource]:
    source = MoodySource()
    yield source
    source.close()


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    smtp = SmtpServer()
    smtp.start()
    yield smtp
    smtp.stop()


@pytest.fixture
def system(tmp_path: Path, broker: Broker, smtp: SmtpServer) -> Iterator[Nightmail]:
    system = Nightmail(
        tmp_path,
        NIGHTMAIL_NATS_URL=f"nats://127.0.0.1:{broker.proxy.port}",
        NIGHTMAIL_NATS_SEEDS=str(broker.seeds),
        NIGHTMAIL_SMTP_HOST="127.0.0.1",
        NIGHTMAIL_SMTP_PORT=str(smtp.port),
        NIGHTMAIL_FETCH_TIMEOUT="2",
    )
    system.start()
    yield system
    if not system.ended():
        system.stop()


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(SHORT_SECONDS, id="short"),
        pytest.param(60 * float(os.environ.get("SOAK_MINUTES", "30")), id="soak", marks=pytest.mark.long),
    ],
)
def test_every_promise_holds_under_random_faults(
    system: Nightmail,
    broker: Broker,
    source: MoodySource,
    smtp: SmtpServer,
    capsys: pytest.CaptureFixture[str],
    seconds: float,
) -> None:
    seed = int(os.environ.get("SOAK_SEED") or random.randrange(2**32))
    with capsys.disabled():
        print(f"\nfaults: seed {seed}, {seconds:.0f} s; to repeat: make soak MINUTES={seconds / 60:.1f} SEED={seed}")
    created = {}
    for number in range(JOBS):
        data = {"source_type": "api", "location": source.url, "file_type": "csv"}
        job = job_request(
            job_name=f"job {number}",
            schedule_time=EVERY_MINUTE,
            timezone="UTC",
            data_source=data,
            notify_on_failure=False,
        )
        assert system.call("POST", "/jobs/create", json=job).status_code == 201
        created[f"job {number}"] = datetime.now(UTC)
    users = Users(system)
    chaos = Chaos(seed, system, broker, source, smtp)
    try:
        chaos.inject_for(seconds)
    finally:
        users.stop()
    until = datetime.now(UTC) - MINUTE / 6
    wait_until(lambda: system.command_line("status").returncode == 0, "everything is ready again", SETTLE_SECONDS)
    auditor = Auditor(broker)
    deadline = time.monotonic() + scaled(SETTLE_SECONDS)
    while True:
        log = auditor.read()
        lost = (users.accepted - log.requested.keys()) | log.unfinished()
        wrong = log.dues_wrong(created, Schedule.parse(EVERY_MINUTE, "UTC"), until)
        if (not lost and not wrong) or time.monotonic() > deadline:
            break
        time.sleep(0.5)  # the poll interval
    for name in created:
        assert system.call("POST", f"/jobs/{name}/pause").status_code == 200
    deadline = time.monotonic() + scaled(SETTLE_SECONDS)
    while (unfinished := auditor.read().unfinished()) and time.monotonic() < deadline:
        time.sleep(0.5)  # the poll interval
    lost |= unfinished

    mailed = Mailed.of(smtp.accepted)
    killed = chaos.done["mailer killed"]
    not_mailed = {run_id for run_id in log.accepted if run_id not in mailed.runs}
    with capsys.disabled():
        print("".join(f"  {count:>5}  {name}\n" for name, count in sorted(chaos.done.items())), end="")
        print(
            f"  faults {sum(chaos.done.values())}, runs {len(log.requested)} ({len(users.accepted)} requested), "
            f"mails {len(smtp.recipients)}, lost {len(lost | not_mailed)}, run twice {len(log.twice()) + log.requests_twice}, "
            f"due times wrong {len(wrong)}, duplicate mails {mailed.duplicates} (mailers killed: {killed})"
        )
    assert lost == set()
    assert not_mailed == set()
    assert log.twice() == []
    assert log.requests_twice == 0
    assert wrong == []
    assert mailed.other_message_ids == 0
    assert mailed.duplicates <= killed
    assert broker.refusals() == []

    before = answers(system)
    assert system.stop() == 0
    shutil.rmtree(system.data_dir / "api")
    system.start()
    after = answers(system)
    assert json.dumps(after, sort_keys=True) == json.dumps(before, sort_keys=True)
