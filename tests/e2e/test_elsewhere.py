"""`status`, `doctor` and `mail test` on a machine on which Nightmail does not run: the API and a mailer answer."""

import json
from pathlib import Path
from typing import Any

from e2e.conftest import Nightmail
from support.deadlines import wait_until


def elsewhere(nightmail: Nightmail, folder: Path, *arguments: str, **settings: str) -> tuple[int, Any]:
    """Run a command with an empty data folder; return its exit code and its JSON."""
    away = {"NIGHTMAIL_DATA_DIR": str(folder / "data"), "NIGHTMAIL_TOKEN": nightmail.token} | settings
    ended = nightmail.command_line(*arguments, "--json", **away)
    return ended.returncode, json.loads(ended.stdout)


def test_doctor_reports_what_the_api_finds_and_nothing_about_this_machine(nightmail: Nightmail, tmp_path: Path) -> None:
    def found() -> dict[str, Any] | None:
        status, answer = elsewhere(nightmail, tmp_path, "doctor")
        return {one["name"]: one["state"] for one in answer["checks"]} if status == 0 else None

    checks = wait_until(found, "every check is ok")
    assert {"python", "api", "nats", "log", "ticker", "smtp", "read model"} <= checks.keys()
    assert not checks.keys() & {"data folder", "disk", "memory", "sandbox"}
    assert not (tmp_path / "data").exists()


def test_doctor_asks_the_broker_from_here_if_its_url_is_set(nightmail: Nightmail, tmp_path: Path) -> None:
    broker = {
        "NIGHTMAIL_NATS_URL": f"nats://127.0.0.1:{nightmail.nats_port}",
        "NIGHTMAIL_NATS_SEEDS": str(nightmail.data_dir / "nats-seeds"),
    }
    _, answer = elsewhere(nightmail, tmp_path, "doctor", **broker)
    assert [one["name"] for one in answer["checks"]].count("log") == 1
    assert {"name": "jetstream", "state": "ok"}.items() <= next(
        one for one in answer["checks"] if one["name"] == "jetstream"
    ).items()


def test_doctor_says_that_the_api_refuses_the_token(nightmail: Nightmail, tmp_path: Path) -> None:
    status, answer = elsewhere(nightmail, tmp_path, "doctor", NIGHTMAIL_TOKEN="wrong")
    assert status == 1
    [check] = [one for one in answer["checks"] if one["name"] == "api"]
    assert check["state"] == "problem"
    assert "NIGHTMAIL_TOKEN" in check["fix"]


def test_status_shows_the_services(nightmail: Nightmail, tmp_path: Path) -> None:
    _, answer = elsewhere(nightmail, tmp_path, "status")
    assert answer["processes"] == []
    assert {one["name"] for one in answer["system"]["services"]} >= {"api", "ticker", "runner", "mailer"}


def test_a_mailer_sends_the_test_mail(nightmail: Nightmail, tmp_path: Path) -> None:
    status, answer = elsewhere(nightmail, tmp_path, "mail", "test", "reports@example.com")
    assert (status, answer["ok"]) == (0, True)
    assert all(step["ok"] for step in answer["steps"])
