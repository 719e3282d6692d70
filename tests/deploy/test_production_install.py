"""`deploy/install.sh`: a production install without test tools runs a job; and the last release, an upgrade and the way back."""

import os
import subprocess
from pathlib import Path

import pytest

from e2e.conftest import NIGHTMAIL, Nightmail
from support.deadlines import scaled
from support.installation import install_nightmail

ROOT = Path(__file__).parents[2]
#: A commit to test the upgrade from; otherwise the newest tag of a version, or 0.1.0, which has no tag.
LAST_RELEASE = os.environ.get("LAST_RELEASE", "")
VERSION_0_1_0 = "def8115813fbbdb7ee4ff6bc7714c114644dec51"
TEST_TOOLS = {"pytest", "mypy", "ruff", "psutil", "hypothesis"}


class Installed(Nightmail):
    """`nightmail up` of an installation."""

    program = NIGHTMAIL

    @property
    def command(self) -> list[str]:
        return [self.program, *super().command[1:]]


def run_a_job(system: Nightmail) -> None:
    run_id = system.run("daily")
    assert system.run_when(run_id, "delivered", "failed", seconds=60)["status"] == "delivered"


def create_a_job(system: Nightmail) -> None:
    (system.data_dir / "files" / "sales.csv").write_text("region,amount\nNorth,1\n")
    system.create(job_name="daily")


@pytest.mark.long
def test_an_installation_without_test_tools_runs_a_job(tmp_path: Path) -> None:
    folder = tmp_path / "opt"
    install_nightmail(folder)
    listed = subprocess.run(
        [folder / "bin/pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    ).stdout
    installed = {line.partition("==")[0].lower() for line in listed.splitlines()}
    assert {"nightmail-api", "nightmail-cli", "nightmail-mailer", "nightmail-runner"} <= installed
    assert not installed & TEST_TOOLS
    assert (folder / "share/nightmail/systemd/nightmail.service").exists()
    again = subprocess.run([ROOT / "deploy/install.sh", folder], capture_output=True, text=True, check=False)
    assert (again.returncode, "has an installation already" in again.stderr) == (1, True)

    system = Installed(tmp_path)
    system.program = str(folder / "bin/nightmail")
    system.start_as_a_user()
    try:
        create_a_job(system)
        run_a_job(system)
    finally:
        assert system.stop() == 0


@pytest.fixture
def last_release(tmp_path: Path) -> str:
    """Install the last release from this repository's history; return its `nightmail`."""
    release = LAST_RELEASE or _git("tag", "--list", "v*", "--sort=-version:refname").partition("\n")[0] or VERSION_0_1_0
    commit = _git("rev-parse", "--verify", f"{release}^{{commit}}")
    if not commit and release == VERSION_0_1_0:
        pytest.skip("this checkout's history does not reach 0.1.0; LAST_RELEASE names another commit to upgrade from")
    assert commit, f"{release} is no commit here"
    source = tmp_path / "source"
    source.mkdir()
    archive = tmp_path / "source.tar"
    _git("archive", f"--output={archive}", commit)
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", source], check=True)
    folder = tmp_path / "last"
    command: list[str | Path] = [source / "deploy/install.sh", folder]
    if not Path(command[0]).exists():  # 0.1.0 runs from its source
        command, folder = ["make", "--directory", source, "install"], source / ".venv"
    made = subprocess.run(command, capture_output=True, text=True, timeout=scaled(300), check=False)
    assert made.returncode == 0, made.stderr
    return str(folder / "bin/nightmail")


def _git(*arguments: str) -> str:
    asked = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else ""


@pytest.mark.long
def test_the_log_of_the_last_release_is_upgraded_and_the_way_back_works(tmp_path: Path, last_release: str) -> None:
    system = Installed(tmp_path)
    for number, program in enumerate((last_release, NIGHTMAIL, last_release, NIGHTMAIL), start=1):
        system.program = program
        system.start_as_a_user()
        try:
            if number == 1:
                create_a_job(system)
            run_a_job(system)
            assert len(system.call("GET", "/jobs/daily/runs").json()["items"]) == number
        finally:
            assert system.stop() == 0
