"""`nightmail up`: errors at the start, secrets, restarts and shutdown."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import nats
import nats.errors
import psutil
import pytest
from nats.js.api import ConsumerConfig

from e2e.conftest import NIGHTMAIL, DataServer, Nightmail, attached_csv
from e2e.test_path import ENDED, SALES, TOTALS, api_source
from support.deadlines import scaled, wait_until
from support.service_starter import run_command


def refused(system: Nightmail) -> str:
    """Start a system that must fail; return its one line on stderr."""
    ended = run_command(system.command[1:], system.environment, system.log.parent, scaled(30))
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    return line


def test_a_taken_port_is_reported_in_one_line(nightmail: Nightmail, own_nightmail: Callable[..., Nightmail]) -> None:
    other = own_nightmail()
    other.port = nightmail.port
    assert f"cannot listen on port {nightmail.port}" in refused(other)
    other = own_nightmail()
    other.nats_port = nightmail.nats_port
    assert f"cannot listen on NATS port {nightmail.nats_port}" in refused(other)


def test_a_second_instance_on_the_same_folder_is_refused(
    nightmail: Nightmail, own_nightmail: Callable[..., Nightmail]
) -> None:
    other = own_nightmail()
    other.data_dir = nightmail.data_dir
    assert "another nightmail up is running on the data folder" in refused(other)


def test_a_folder_that_cannot_be_written_is_reported_in_one_line(own_nightmail: Callable[..., Nightmail]) -> None:
    other = own_nightmail()
    other.data_dir.write_text("a file where the folder should be")
    assert "cannot write to the data folder" in refused(other)


@pytest.mark.parametrize("name", ["LOG_LEVEL", "RUN_RETENTION", "PORT", "SMTP_SECURITY", "SCRIPT_TIMEOUT"])
def test_a_malformed_setting_of_any_service_stops_the_start_by_its_name(
    own_nightmail: Callable[..., Nightmail], name: str
) -> None:
    system = own_nightmail(**{f"NIGHTMAIL_{name}": "loud"})
    arguments = [part for part in system.command[1:] if part not in ("--port", str(system.port))]
    ended = run_command(arguments, system.environment, system.log.parent, scaled(30))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: setting NIGHTMAIL_{name}: ")
    assert len(ended.stderr.splitlines()) == 1


def test_only_the_owner_can_read_secrets_on_disk(nightmail: Nightmail) -> None:
    for name in ("admin-token", "nats.conf", "nats.env", "secret-key"):
        assert (nightmail.data_dir / name).stat().st_mode & 0o777 == 0o600, name


def test_only_the_owner_can_read_anything_in_the_data_folder(nightmail: Nightmail) -> None:
    modes: dict[Path, int] = {nightmail.data_dir: nightmail.data_dir.lstat().st_mode}
    for folder, folders, files in os.walk(nightmail.data_dir):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):  # nats-server removes its temporary files and folders meanwhile
                modes[Path(folder) / name] = (Path(folder) / name).lstat().st_mode
    assert nightmail.data_dir / "api" / "projection.sqlite" in modes
    assert [str(path) for path, mode in modes.items() if mode & 0o077] == []


def test_everything_listens_on_loopback_only(nightmail: Nightmail) -> None:
    assert nightmail.process is not None
    system = psutil.Process(nightmail.process.pid)
    connections = []
    for process in [system, *system.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # a worker ends with its run
            connections += process.net_connections("tcp")
    listening = [connection for connection in connections if connection.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


#: Settings of `system_of_a_user` that no other process may read.
SECRETS = {
    "NIGHTMAIL_SMTP_PASSWORD": "hunter2",
    "NIGHTMAIL_SECRET_KEY": "k" * 32,
    "NIGHTMAIL_SECRET_CRM": "c3po",
    "NIGHTMAIL_NATS_PASSWORD": "hunter3",
}


@pytest.fixture(scope="module")
def system_of_a_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nightmail]:
    """A system that the executable has started with secrets, from a folder with files that are named as modules."""
    system = Nightmail(tmp_path_factory.mktemp("user"), NIGHTMAIL_NATS_USER="owner", **SECRETS)
    for name in ("calendar", "email", "pandas", "mcp", "aiosmtpd", "nightmail_runner"):
        (system.log.parent / f"{name}.py").write_text("raise SystemExit('the file of the user')")
    system.start_as_a_user()
    yield system
    assert system.stop() == 0


def test_no_process_has_a_secret_in_its_environment_or_command_line(system_of_a_user: Nightmail) -> None:
    system = system_of_a_user
    assert system.process is not None
    supervisor = psutil.Process(system.process.pid)
    checked = set()
    for process in [supervisor, *supervisor.children(recursive=True)]:
        with suppress(
            FileNotFoundError, ProcessLookupError
        ):  # a worker ends, or the process that starts the fork server
            proc = Path(f"/proc/{process.pid}")
            shown = proc.joinpath("environ").read_bytes() + proc.joinpath("cmdline").read_bytes()
            checked.add(process.pid)
            for name, secret in SECRETS.items():
                assert secret.encode() not in shown, (name, shown)
    assert checked >= {system.process.pid, *system.pids().values()}


async def test_the_owner_of_the_broker_may_do_everything_and_the_auditor_only_read(
    system_of_a_user: Nightmail,
) -> None:
    kept = dict(line.split("=", 1) for line in (system_of_a_user.data_dir / "nats.env").read_text().splitlines())
    auditor = (kept["NIGHTMAIL_NATS_USER"], kept["NIGHTMAIL_NATS_PASSWORD"])
    for user, password in (("owner", "hunter3"), auditor):
        client = await nats.connect(kept["NIGHTMAIL_NATS_URL"], user=user, password=password)
        await client.jetstream().stream_info("EVENTS")
        if user == "owner":
            await client.jetstream().add_consumer("EVENTS", ConsumerConfig(durable_name="one-more"))
            assert await client.jetstream().delete_consumer("EVENTS", "one-more")
        else:
            with pytest.raises(nats.errors.TimeoutError):
                await client.jetstream(timeout=scaled(1)).delete_consumer("EVENTS", "runner")
        await client.close()


def check_link(system: Nightmail) -> None:
    """Check that the link that a start has printed opens the console once."""
    found = re.search(rf"Open {system.url}/console/#start=(\S+)  \(once, 10 minutes\)", system.log.read_text())
    assert found is not None
    answers = [httpx.post(f"{system.url}/session", json={"code": found[1]}, timeout=scaled(20)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 401]
    assert (answers[0].json()["name"], answers[0].json()["role"]) == ("admin", "admin")


def test_jobs_and_history_survive_a_restart(own_nightmail: Callable[..., Nightmail], source: DataServer) -> None:
    system = own_nightmail()
    system.start()
    check_link(system)  # not of the session's system: a link is valid for 10 minutes
    url = source.serve("/restart.csv", SALES)
    system.create(job_name="kept", data_source=api_source(url))
    run_id = system.run("kept")
    system.run_when(run_id, "delivered")
    before = system.call("GET", "/jobs/kept").json()
    assert system.stop() == 0
    system.start()
    check_link(system)
    after = system.call("GET", "/jobs/kept").json()
    assert after == before | {"next_run": after["next_run"]}
    assert system.call("GET", f"/runs/{run_id}/result").content == TOTALS
    assert len(system.mails(run_id)) == len(before["consumer_emails"])


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it ends meanwhile
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def test_no_process_runs_after_a_stop(own_nightmail: Callable[..., Nightmail]) -> None:
    system = own_nightmail()
    system.start()
    assert system.process is not None
    children = psutil.Process(system.process.pid).children(recursive=True)
    assert system.stop() == 0
    assert running(children) == []


def test_a_file_in_the_folder_is_not_taken_for_a_module_that_a_service_imports(
    system_of_a_user: Nightmail, source: DataServer
) -> None:
    system = system_of_a_user
    system.create(job_name="beside", data_source=api_source(source.serve("/beside.csv", SALES)))
    run_id = system.run("beside")
    system.run_when(run_id, "delivered")
    assert not system.has_logged("the file of the user")
    assert system.call("POST", "/mcp").status_code != 500


def test_no_process_runs_after_the_supervisor_is_killed(own_nightmail: Callable[..., Nightmail]) -> None:
    system = own_nightmail()
    system.start()
    assert system.process is not None
    children = psutil.Process(system.process.pid).children(recursive=True)
    system.process.kill()
    system.process.wait()
    wait_until(lambda: not running(children), "the services have ended", seconds=30)


@pytest.mark.parametrize("name", ["nats", "api", "ticker", "runner-1", "mailer", "catcher"])
def test_a_run_requested_during_a_restart_of_a_killed_process_is_delivered_once(
    nightmail: Nightmail, source: DataServer, name: str
) -> None:
    url = source.serve("/killed.csv", SALES)
    nightmail.create(job_name=f"killed {name}", data_source=api_source(url))
    victim = nightmail.processes()[name]
    victim.send_signal(signal.SIGKILL)
    run_id = wait_until(lambda: _try_to_run(nightmail, f"killed {name}"), "the API takes a request")
    assert nightmail.run_when(run_id, *ENDED, seconds=60)["status"] == "delivered"
    [mail] = nightmail.mails(run_id)
    assert attached_csv(mail) == TOTALS
    wait_until(lambda: nightmail.pids()[name] != victim.pid, f"{name} is back")
    wait_until(lambda: nightmail.command_line("status").returncode == 0, "everything is ready again")


def _try_to_run(nightmail: Nightmail, job_name: str) -> str | None:
    try:
        answer = nightmail.call("POST", f"/jobs/{job_name}/run")
    except httpx.TransportError:
        return None
    if answer.status_code != 202:
        return None
    run_id: str = answer.json()["run_id"]
    return run_id


def test_the_command_reports_the_url_of_an_unreachable_api(tmp_path: Path) -> None:
    ended = subprocess.run(
        [NIGHTMAIL, "jobs", "list"],
        env={"NIGHTMAIL_URL": "http://127.0.0.1:1", "NIGHTMAIL_TOKEN": "t"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ended.returncode == 1
    assert "cannot reach the API at http://127.0.0.1:1" in ended.stderr


def test_status_shows_every_service_with_or_without_the_data_folder(nightmail: Nightmail, tmp_path: Path) -> None:
    def ready() -> dict[str, Any] | None:
        ended = nightmail.command_line("status", "--json")
        shown: dict[str, Any] = json.loads(ended.stdout)
        # A process that another test killed stays announced for 15 seconds.
        is_settled = all(len(one["replicas"]) == 1 for one in shown["system"]["services"])
        return shown if ended.returncode == 0 and is_settled else None

    shown: dict[str, Any] = wait_until(ready, "everything is ready, and announced once")
    assert {process["name"] for process in shown["processes"]} >= {"api", "ticker", "runner-1", "mailer"}
    assert {one["name"]: len(one["replicas"]) for one in shown["system"]["services"]} == {
        "api": 1,
        "ticker": 1,
        "runner": 1,
        "mailer": 1,
    }
    assert shown["system"]["smtp"]["reachable"] is True
    assert shown["system"]["smtp"]["catcher"] is True
    assert set(shown["waiting"]) == {"api", "runner", "mailer"}
    elsewhere = nightmail.command_line(
        "status",
        NIGHTMAIL_DATA_DIR=str(tmp_path / "none"),
        NIGHTMAIL_TOKEN=nightmail.token,
        NIGHTMAIL_URL=nightmail.url,
    )
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert "pid" not in elsewhere.stdout
    assert "waiting for runner: " in elsewhere.stdout
