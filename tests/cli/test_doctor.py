"""`nightmail doctor`: the problems that it reports for machines and brokers, and their fixes."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js.api import ConsumerConfig

from nightmail_cli.doctor import machine_checks
from nightmail_cli.doctor.broker_checks import broker, monitored
from nightmail_cli.local.setting_names import unknown_settings
from nightmail_common.broker import streams
from nightmail_common.broker.checks import Check
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.job import Job
from nightmail_common.service.settings import ServiceSettings
from support.certificates import server_context
from support.deadlines import scaled, wait_until
from support.nats_server import NatsServer
from support.ports import free_port
from support.service_starter import run_command, start_service
from support.tickers import ShiftedClock, create, publishing


def by_name(checks: list[Check]) -> dict[str, Check]:
    assert all(check.fix for check in checks if check.state != "ok"), "every problem has a fix"
    return {check.name: check for check in checks}


def test_a_data_folder_that_cannot_be_created_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    checks = by_name(list(machine_checks.data_folder(tmp_path / "file" / "data")))
    assert checks["data folder"].state == "problem"
    assert "NIGHTMAIL_DATA_DIR" in str(checks["data folder"].fix)


def test_a_secret_that_others_can_read_is_a_problem_and_the_rest_is_measured(tmp_path: Path) -> None:
    (tmp_path / "admin-token").touch(mode=0o644)
    (tmp_path / "nats-seeds").mkdir(mode=0o700)
    (tmp_path / "nats-seeds" / "api.nk").touch(mode=0o600)
    checks = by_name(list(machine_checks.data_folder(tmp_path)))
    assert checks["secrets"].state == "problem"
    assert str(checks["secrets"].fix).startswith(f"chmod 600 {tmp_path}/admin-token")
    (tmp_path / "admin-token").chmod(0o600)
    checks = by_name(list(machine_checks.data_folder(tmp_path)))
    assert checks["secrets"].state == "ok"
    assert "acknowledged events a second" in checks["disk sync"].detail
    assert "free" in checks["disk"].detail


def test_a_taken_port_names_the_setting_that_moves_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        check = machine_checks.port("api", "127.0.0.1", taken.getsockname()[1], "NIGHTMAIL_PORT")
    assert check.state == "problem"
    assert str(check.fix).endswith("NIGHTMAIL_PORT")


def test_scripts_that_could_exceed_the_memory_are_a_warning() -> None:
    [check] = machine_checks.memory(runners=1000, script_memory=1024**4)
    assert check.state == "warning"
    assert "NIGHTMAIL_SCRIPT_MEMORY" in str(check.fix)


def test_a_sandbox_that_is_off_is_a_warning() -> None:
    [check] = machine_checks.sandbox(switched_on=False)
    assert check.state == "warning"


async def test_a_broker_in_use_is_checked_completely(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    js = nats_client.jetstream()
    await create(event_log, make_job())
    for durable in streams.DURABLES:
        await js.add_consumer(streams.STREAM, ConsumerConfig(durable_name=durable, filter_subject="jobs.>"))
    settings = ServiceSettings(nats_url=nats_server.url)
    checks = by_name([check async for check in broker(settings)])
    assert {name for name, check in checks.items() if check.state == "ok"} == {"nats", "jetstream", "clock", "log"}
    assert checks["ticker"].detail == "no ticker leads"
    assert "no runner pulls them" in checks["runners"].detail

    await (await js.key_value(streams.LEASES)).put("ticker", b"somebody")
    config = (await js.stream_info(streams.STREAM)).config
    await js.update_stream(config.evolve(duplicate_window=60))
    checks = by_name([check async for check in broker(settings)])
    assert checks["ticker"].state == "ok"
    assert checks["log"].state == "problem"
    assert checks["log"].detail.startswith("duplicate_window is 60.0: ")


async def test_runs_that_were_fired_ahead_of_their_due_times_are_a_warning(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    clock = ShiftedClock()
    await create(event_log, make_job(schedule_time="* * * * *"))
    clock.set_to(clock.now() + timedelta(minutes=30))
    async with publishing(nats_client, clock) as ticker:
        await ticker.publish_due()
    checks = by_name([check async for check in broker(ServiceSettings(nats_url=nats_server.url))])
    assert checks["clock history"].state == "warning"
    assert "1 due times to come were fired already" in checks["clock history"].detail


async def test_an_unreachable_broker_is_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightmail_cli.connect.CONNECT_SECONDS", 0.5)
    url = f"nats://127.0.0.1:{free_port()}"
    assert await problem(nats_url=url) == f"{url}: connection refused: no NATS server listens there"


async def problem(**settings: Any) -> str:
    """Return the only finding about a broker, a problem."""
    [check] = [check async for check in broker(ServiceSettings(**settings))]
    assert (check.name, check.state) == ("nats", "problem")
    return check.detail


@contextmanager
def broker_with(folder: Path, configuration: str) -> Iterator[int]:
    """Run a nats-server with such a configuration; yield its port."""
    port = free_port()
    (folder / "nats.conf").write_text(f"host: 127.0.0.1\nport: {port}\n{configuration}\n")
    command = [str(Path(sys.executable).parent / "nats-server"), "-c", str(folder / "nats.conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the server answers")
            yield port
        finally:
            server.terminate()


async def test_each_reason_why_a_broker_cannot_be_used_has_its_own_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_cli.connect.CONNECT_SECONDS", scaled(1))
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        server_context(folder)
    with broker_with(tmp_path, "authorization { user: a, password: right }") as port:
        url = f"nats://127.0.0.1:{port}"
        wrong = await problem(nats_url=url, nats_user="a", nats_password="wrong")
        assert wrong.endswith("refuses this user: NIGHTMAIL_NATS_USER or NIGHTMAIL_NATS_PASSWORD is wrong")
        assert (await problem(nats_url=url)).endswith(
            "NIGHTMAIL_NATS_SEEDS, or run the command in the folder of `nightmail up`"
        )
    missing = await problem(nats_url=url, nats_seeds=tmp_path / "seeds")
    assert missing.endswith(f"NIGHTMAIL_NATS_SEEDS: {tmp_path}/seeds/auditor.nk: No such file or directory")
    tls = f'tls {{ cert_file: "{ours}/server.pem", key_file: "{ours}/server.key" }}'
    with broker_with(tmp_path, tls) as port:
        wrong = await problem(nats_url=f"tls://127.0.0.1:{port}", nats_ca=theirs / "server.pem")
        assert "its certificate is not accepted" in wrong
        assert wrong.endswith(f"NIGHTMAIL_NATS_CA is {theirs}/server.pem")


def test_an_invalid_setting_is_json_too() -> None:
    for settings in ({"NIGHTMAIL_NATS_URL": "http://["}, {"NIGHTMAIL_HEALTH_PORT": "many"}):
        ended = doctor("--json", **settings)
        assert ended.returncode == 1
        [check] = [one for one in json.loads(ended.stdout)["checks"] if one["name"] == "settings"]
        assert check["state"] == "problem"
        assert next(iter(settings)) in check["detail"]


@pytest.mark.parametrize(
    ("name", "value"), [("SECRET_KEY", "x"), ("CONNECTION_A", "foo"), ("FETCH_ALLOW", "10.0.0.0/33")]
)
def test_a_malformed_setting_of_any_service_is_a_problem(name: str, value: str) -> None:
    checks = json.loads(doctor("--json", **{f"NIGHTMAIL_{name}": value}).stdout)["checks"]
    found = [one["detail"] for one in checks if one["name"] == "settings"]
    assert found
    assert all(detail.startswith(f"NIGHTMAIL_{name}: ") for detail in found)


def test_a_name_that_no_setting_has_is_a_warning_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMTP_HOTS", "SECRET_CRM_HOSTS", "CONNECTION_SALES", "TOKEN"):
        monkeypatch.setenv(f"NIGHTMAIL_{name}", "x")
    Path(".env").write_text("NIGHTMAIL_FETCH_ALOW=x\nNIGHTMAIL_XYZ=x\nOTHER=x\n")
    assert unknown_settings() == [
        "NIGHTMAIL_FETCH_ALOW is not a setting; did you mean NIGHTMAIL_FETCH_ALLOW?",
        "NIGHTMAIL_SMTP_HOTS is not a setting; did you mean NIGHTMAIL_SMTP_HOST?",
        "NIGHTMAIL_XYZ is not a setting",
    ]
    checks = json.loads(doctor("--json", NIGHTMAIL_CONNECTION_SALES="sqlite:///a").stdout)["checks"]
    assert [one["state"] for one in checks if one["name"] == "setting names"] == ["warning"] * 3


def test_an_api_that_runs_as_a_service_of_its_own_is_asked_whether_it_is_ready(nats_server: NatsServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken = doctor("--json", NIGHTMAIL_NATS_URL=nats_server.url, NIGHTMAIL_PORT=port)
    [check] = [one for one in json.loads(taken.stdout)["checks"] if one["name"] == "api"]
    assert "Address already in use" in check["detail"]
    port = str(free_port())
    settings = {"NIGHTMAIL_NATS_URL": nats_server.url, "NIGHTMAIL_HEALTH_PORT": port}
    ticker = start_service("nightmail_ticker", os.environ | settings, Path.cwd())
    try:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", int(port))) == 0, "the service listens")
        asked = doctor("--json", NIGHTMAIL_NATS_URL=nats_server.url, NIGHTMAIL_PORT=port)
    finally:
        ticker.terminate()
        ticker.wait(scaled(20))
    [check] = [one for one in json.loads(asked.stdout)["checks"] if one["name"] == "api"]
    assert "/health/ready" in check["detail"]


@contextmanager
def monitored_server(folder: Path, sync: str) -> Iterator[str]:
    port = free_port()
    config = folder / "nats.conf"
    jetstream = f'jetstream {{ store_dir: "{folder}/store", sync_interval: {sync} }}'
    config.write_text(f"host: 127.0.0.1\nport: -1\nhttp: 127.0.0.1:{port}\n{jetstream}\n")
    with subprocess.Popen(
        [Path(sys.executable).parent / "nats-server", "-c", config], stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the monitoring port answers")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.mark.parametrize(("sync", "state"), [("always", "ok"), ("10s", "problem")])
def test_the_monitoring_port_shows_a_server_that_does_not_sync_every_event(
    tmp_path: Path, sync: str, state: str
) -> None:
    with monitored_server(tmp_path, sync) as url:
        [check] = monitored(url)
    assert check.state == state
    assert state == "ok" or "sync_interval: always" in str(check.fix)


def doctor(*options: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"NIGHTMAIL_PORT": str(free_port()), "NIGHTMAIL_DATA_DIR": "data"} | settings
    return run_command(["doctor", *options], environment, Path.cwd(), scaled(60))


def test_the_command_says_how_to_fix_it_and_exits_1_on_a_problem(nats_server: NatsServer) -> None:
    refused = str(free_port())
    ended = doctor(
        "--json",
        NIGHTMAIL_NATS_URL=nats_server.url,
        NIGHTMAIL_SMTP_HOST="127.0.0.1",
        NIGHTMAIL_SMTP_PORT=refused,
    )
    answer = json.loads(ended.stdout)
    checks = by_name([Check(**check) for check in answer["checks"]])
    assert ended.returncode == 1
    assert answer["ok"] is False
    assert checks["smtp"].detail.startswith(f"127.0.0.1:{refused} fails at connect")
    assert {checks[name].state for name in ("python", "settings", "data folder", "api", "nats")} == {"ok"}

    malformed = doctor(NIGHTMAIL_SCRIPT_TIMEOUT="soon", NIGHTMAIL_NATS_URL=nats_server.url)
    assert malformed.returncode == 1
    assert "NIGHTMAIL_SCRIPT_TIMEOUT" in malformed.stdout


@pytest.mark.parametrize(
    ("group", "files", "limits"),
    [
        (
            "0::/system.slice/a.service",
            {"system.slice/a.service/memory.max": "max", "system.slice/memory.max": "7"},
            [7],
        ),
        ("0::/", {"memory.max": "5"}, [5]),
        ("4:memory:/docker/x\n1:name=systemd:/x", {"memory/memory.limit_in_bytes": "3"}, [3]),
        ("9:cpu,memory:/x", {"memory/x/memory.limit_in_bytes": "3", "memory/memory.limit_in_bytes": "9"}, [3, 9]),
    ],
)
def test_the_memory_limits_of_both_versions_of_control_groups_are_read(
    group: str, files: dict[str, str], limits: list[int], tmp_path: Path
) -> None:
    (tmp_path / "cgroup").write_text(f"{group}\n")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    assert list(machine_checks._cgroup_limits(tmp_path / "cgroup", tmp_path)) == limits
