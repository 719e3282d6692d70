"""The commands and examples of the README work as printed."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from e2e.conftest import Nightmail
from support.deadlines import scaled, wait_until

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for named, text in fenced if named == language]


@pytest.fixture
def checkout(nightmail: Nightmail, tmp_path: Path) -> Path:
    """A folder with the parts of a checkout that the README's commands use."""
    for name in (".venv", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "data").symlink_to(nightmail.data_dir)
    return tmp_path


def test_the_commands_of_the_first_job_work_as_printed(nightmail: Nightmail, checkout: Path) -> None:
    commands = "\n".join(blocks("sh")).replace("http://127.0.0.1:8080", nightmail.url)
    begun = time.monotonic()
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=checkout,
        env=nightmail.environment,
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert '"run_id"' in ended.stdout
    assert "delivered, 6 rows" in ended.stdout
    assert "you@example.com" in ended.stdout
    assert time.monotonic() - begun < scaled(60), "the steps of a new user take less than two minutes"
    runs = nightmail.call("GET", "/jobs/heavy%20penguins/runs").json()["items"]
    assert nightmail.run_when(runs[0]["run_id"], "delivered", "failed")["status"] == "delivered"


def test_a_new_user_has_the_report_of_an_example_in_the_mailbox_in_four_steps() -> None:
    """The test above executes them."""
    [steps] = [block.splitlines() for block in blocks("sh") if "jobs new" in block]
    words = [step.removeprefix(".venv/bin/nightmail ").split()[:2] for step in steps]
    assert words == [["jobs", "new"], ["jobs", "create"], ["jobs", "run"], ["mail", "show"]]


def test_the_subscriber_in_the_readme_is_the_example_and_prints_results(nightmail: Nightmail, checkout: Path) -> None:
    example = (ROOT / "examples" / "subscribe.py").read_text()
    [code] = [block for block in blocks("python") if "nats.connect" in block]
    assert example.endswith(code)
    [command] = [block for block in blocks("") if "subscribe.py" in block]
    output = checkout / "output"
    with output.open("wb") as file:
        subscriber = subprocess.Popen(
            ["bash", "-c", f"exec 2>&1; {command.replace('; .venv', '; exec .venv')}"],
            cwd=checkout,
            env=os.environ.copy(),
            stdout=file,
        )
    (nightmail.data_dir / "files" / "two.csv").write_text("n\n1\n2\n")
    source = {"source_type": "file", "location": "two.csv", "file_type": "csv"}
    nightmail.create(job_name="for subscribers", data_source=source, processing_script="return data")
    nightmail.run_when(nightmail.run("for subscribers"), "delivered")
    try:
        wait_until(lambda: "for subscribers 2 rows" in output.read_text(), "the subscriber prints the result")
    finally:
        subscriber.terminate()
        subscriber.wait()


def test_every_script_form_in_the_readme_compiles() -> None:
    from nightmail_common.contract.script import compile_script

    scripts = [block for block in blocks("python") if "groupby" in block]
    assert [compile_script(script)[1] for script in scripts] == ["return", "result", "process"]


def test_every_setting_that_a_service_or_a_command_reads_is_in_the_example_file() -> None:
    from nightmail_api.settings import ApiSettings
    from nightmail_cli.client_settings import ClientSettings
    from nightmail_common.service.settings import PREFIX
    from nightmail_mailer.settings import MailerSettings
    from nightmail_runner.settings import RunnerSettings
    from nightmail_ticker.settings import TickerSettings

    read = {
        str(field.validation_alias or PREFIX + name.upper())
        for settings in (ApiSettings, ClientSettings, MailerSettings, RunnerSettings, TickerSettings)
        for name, field in settings.model_fields.items()
    }
    documented = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read <= documented
