"""The alerts in a real Prometheus on real services: the API and the mailer are killed, and alerts fire within two minutes."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from support.deadlines import scaled, wait_until
from support.nats_server import NatsServer
from support.ports import free_port

ROOT = Path(__file__).parents[2]
TOKEN = "t" * 32
#: From the death of a service to its alert.
ALERT_SECONDS = 120.0
#: What Prometheus' documentation has in its examples, and the README of deploy/grafana assumes.
INTERVAL = "15s"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus (Debian's package prometheus)"),
]


@contextmanager
def process(*command: str | Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = os.environ | {f"NIGHTMAIL_{name}": value for name, value in settings.items()}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        try:
            yield started
        finally:
            started.kill()


def configuration(folder: Path, ports: dict[str, str]) -> Path:
    (folder / "token").write_text(TOKEN)
    config = {
        "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL, "scrape_timeout": "5s"},
        "rule_files": [str(ROOT / "deploy/prometheus/alerts.yaml")],
        "scrape_configs": [
            {
                "job_name": "nightmail-api",
                "authorization": {"credentials_file": str(folder / "token")},
                "static_configs": [{"targets": [f"127.0.0.1:{ports['api']}"]}],
            },
            {
                "job_name": "nightmail",
                "static_configs": [{"targets": [f"127.0.0.1:{port}" for name, port in ports.items() if name != "api"]}],
            },
        ],
    }
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    return file


def test_a_killed_api_and_mailer_raise_their_alerts_within_two_minutes(
    nats_server: NatsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = {name: str(free_port()) for name in ("api", "ticker", "mailer")}
    url, smtp_port = f"http://127.0.0.1:{free_port()}", str(free_port())
    broker = {"NATS_URL": nats_server.url, "DATA_DIR": str(tmp_path / "data")}
    smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": smtp_port, "SMTP_SECURITY": "none", "SECRET_KEY": "k" * 32}
    module = [sys.executable, "-m"]
    with ExitStack() as running:
        start = running.enter_context
        catcher = [
            *module,
            "nightmail_cli.local.mail_catcher",
            "--port",
            smtp_port,
            "--mailbox",
            str(tmp_path / "mailbox"),
        ]
        start(process(*catcher))
        api = start(process(*module, "nightmail_api", **broker, PORT=ports["api"], ADMIN_TOKEN=TOKEN))
        start(process(*module, "nightmail_ticker", **broker, HEALTH_PORT=ports["ticker"]))
        mailer = start(process(*module, "nightmail_mailer", **broker, **smtp, HEALTH_PORT=ports["mailer"]))
        options = [f"--web.listen-address={url.removeprefix('http://')}", f"--storage.tsdb.path={tmp_path}/tsdb"]
        start(process("prometheus", f"--config.file={configuration(tmp_path, ports)}", *options, "--log.level=error"))

        def query(text: str) -> list[dict[str, Any]]:
            try:
                answer = httpx.get(f"{url}/api/v1/query", params={"query": text}, timeout=scaled(5)).json()
            except (httpx.TransportError, ValueError):
                return []
            return list(answer["data"]["result"])

        def firing() -> set[str]:
            return {one["metric"]["alertname"] for one in query('ALERTS{alertstate="firing"}')}

        wait_until(lambda: len(query("up == 1")) == 3, "Prometheus reads every service", 90)
        wait_until(lambda: query("nightmail_mailer_queue_waiting"), "the mailer's queue is read", 60)
        api.kill()
        mailer.kill()
        died = time.monotonic()
        expected = {"NightmailNoApi", "NightmailNoMailer", "NightmailTargetDown"}
        wait_until(lambda: expected <= firing(), "the alerts", ALERT_SECONDS)
        took = time.monotonic() - died
    with capsys.disabled():
        print(f"\nNightmailNoApi, NightmailNoMailer and NightmailTargetDown fired {took:.0f} s after the kill")
    assert took < ALERT_SECONDS
