"""A runner in a container whose filter refuses Landlock, as systemd-nspawn's does: it does not start, and says why."""

import os
import subprocess
import sys

from support.deadlines import scaled
from support.ports import free_port

#: Answers every landlock_create_ruleset with EPERM, then runs the rest of the command.
REFUSE = """
import errno, os, sys, seccompy
refusing = seccompy.Filter(default=seccompy.Action.ALLOW)
refusing.errno(seccompy.syscall_nr("landlock_create_ruleset"), errno.EPERM)
refusing.load()
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def refused(*command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", REFUSE, *command],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(60),
    )


def test_a_runner_without_landlock_says_so_in_one_line_and_ends() -> None:
    ended = refused(
        "-m", "nightmail_runner", NIGHTMAIL_NATS_URL=f"nats://127.0.0.1:{free_port()}", NIGHTMAIL_HEALTH_PORT="0"
    )
    assert ended.returncode == 1
    [line] = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "Landlock is refused" in line
    assert "Traceback" not in ended.stderr + ended.stdout


def test_doctor_reports_a_refused_landlock_as_a_problem() -> None:
    check = "from nightmail_cli.doctor.machine_checks import sandbox; print(*sandbox(switched_on=True))"
    ended = refused("-c", check)
    assert ended.returncode == 0, ended.stderr
    assert "state='problem'" in ended.stdout
    assert "Landlock is refused" in ended.stdout
