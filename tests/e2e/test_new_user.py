"""What a walk as a new user found, where no other test holds the correction. The number is that of the finding.

The others: 1 test_up; 2, 3, 15 and 23 test_command or test_job_files; 5 one of them and test_up; 6 to 8 and 24 api/test_field_errors;
9 to 11 and 13 one of them and cli/test_output; 16 cli/test_help; 18 also cli/test_imports; 19 cli/test_output; 21 cli/test_mail; 22
test_setting_names.
"""

import json
import os
import re
import resource
import subprocess
import time
from functools import partial

import pytest

from e2e.conftest import NIGHTMAIL, Nightmail
from support.deadlines import measure_factor, scaled, wait_until
from support.job_requests import job_request
from support.service_starter import run_command

JOB = "found by a new user"
SCRIPT = "known = data.dropna()\nreturn known"
#: A day with a time, wherever it stands; what follows must be its zone. A mail's subject has a time behind a dot.
TIME = re.compile(r"(?<!· )\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*.{0,7}")
ONE_STYLE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? (UTC|[+-]\d\d:\d\d)")


@pytest.fixture(scope="module")
def run_id(nightmail: Nightmail) -> str:
    """The delivered run of a job that was changed once."""
    (nightmail.data_dir / "files" / "new-user.csv").write_text("region,amount\nnorth,10\n")
    source = {"source_type": "file", "location": "new-user.csv", "file_type": "csv"}
    fields = job_request(job_name=JOB, data_source=source, consumer_emails=["ann@example.com"], timezone="Europe/Paris")
    nightmail.create(**fields | {"processing_script": "known = data\nreturn known"})
    changed = nightmail.call("PUT", f"/jobs/{JOB}", json=fields | {"processing_script": SCRIPT})
    assert changed.status_code == 200, changed.text
    assert nightmail.call("PUT", "/files/uploaded.csv", content=b"a\n1\n").is_success
    started = nightmail.run(JOB)
    nightmail.run_when(started, "delivered")
    return started


def said(nightmail: Nightmail, *arguments: str) -> str:
    ended = nightmail.command_line(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def completed(nightmail: Nightmail, *words: str) -> list[str]:
    """Return what the shell offers for the last of the words."""
    line = {"_NIGHTMAIL_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("nightmail", *words))}
    return nightmail.command_line(**line, COMP_CWORD=str(len(words))).stdout.split()


def test_4_doctor_finds_the_system_of_the_folder_on_whatever_port(nightmail: Nightmail, run_id: str) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTMAIL_")}

    def checks(**settings: str) -> dict[str, str]:
        ended = run_command(["doctor", "--json"], bare | settings, nightmail.data_dir.parent, scaled(60))
        return {one["name"]: one["state"] for one in json.loads(ended.stdout)["checks"]}

    def finds_the_api(settings: dict[str, str]) -> bool:
        return checks(**settings)["api"] == "ok"

    for settings in ({}, {"NIGHTMAIL_URL": nightmail.url, "NIGHTMAIL_TOKEN": nightmail.token}):
        wait_until(partial(finds_the_api, settings), f"doctor finds the API with {settings}")
    known_by_the_api = {"read model", "unreadable events", "waiting runs", "waiting mails"}
    assert known_by_the_api <= checks().keys(), "what only the API knows is reported, too"


def test_12_every_command_writes_times_in_one_style(nightmail: Nightmail, run_id: str) -> None:
    for command in (
        ("jobs", "list"),
        ("jobs", "show", JOB),
        ("jobs", "versions", JOB),
        ("runs", "list", "--job", JOB),
        ("runs", "show", run_id),
        ("mails", "list", "--job", JOB),
        ("mail", "list"),
        ("files", "list"),
        ("tokens", "list"),
        ("status",),
    ):
        # Of the output alone: `status` exits with 1 while a service is busy.
        times = TIME.findall(nightmail.command_line(*command).stdout)
        assert [time for time in times if not ONE_STYLE.match(time)] == [], command
        assert times or command[0] in {"tokens", "status"}, command


def test_14_versions_show_the_lines_of_a_script_that_changed(nightmail: Nightmail, run_id: str) -> None:
    shown = said(nightmail, "jobs", "versions", JOB)
    lines = [line.strip() for line in shown.splitlines()]
    assert "processing_script:" in lines
    assert lines.index("-known = data") < lines.index("+known = data.dropna()")
    assert "return known" in lines


def test_17_one_command_says_whether_somebody_got_it(nightmail: Nightmail, run_id: str) -> None:
    shown = said(nightmail, "mails", "list", "--recipient", "ann@example.com", "--job", JOB)
    [line] = [line for line in shown.splitlines() if "ann@example.com" in line]
    assert "accepted" in line
    assert run_id.startswith(line.split()[-1])
    [mail] = json.loads(said(nightmail, "mails", "list", "--recipient", "ann@example.com", "--job", JOB, "--json"))
    assert (mail["run_id"], mail["outcome"], mail["answer"][:3]) == (run_id, "accepted", "250")
    assert "there are no mails" in said(nightmail, "mails", "list", "--recipient", "bob@example.com", "--job", JOB)


def test_20_the_shell_completes_ids_statuses_outcomes_and_event_types(nightmail: Nightmail, run_id: str) -> None:
    def completes(words: tuple[str, ...], expected: list[str]) -> bool:
        return completed(nightmail, *words) == expected

    [newest, *_] = json.loads(said(nightmail, "mail", "list", "--json"))
    for words, expected in (
        (("runs", "show", run_id[:13]), [run_id]),
        (("runs", "list", "--status", "de"), ["delivered"]),
        (("mails", "list", "--outcome", "acc"), ["accepted"]),
        (("events", "tail", "--type", "run-f"), ["run-failed"]),
        (("mail", "show", newest["id"]), [newest["id"]]),
    ):
        # The shell waits a second for an answer of the API, and then shows none.
        wait_until(partial(completes, words, expected), f"the shell completes {words}")
    assert completed(nightmail, "runs", "show", "zzzz") == []


def test_18_help_takes_less_than_0_4_seconds_and_a_command_less_than_0_6(nightmail: Nightmail) -> None:
    """Of the processor, in one of five times: what other processes do on the machine does not count.

    The speed of the processor is measured beside each, because a virtual machine can slow down within minutes.
    """

    def seconds(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([NIGHTMAIL, *arguments], env=nightmail.environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    limits = {"--help": 0.4, "runs list --help": 0.4, "jobs list": 0.6, "runs list": 0.6, "status": 0.6}
    for command, limit in limits.items():
        taken: list[float] = []
        while not any(one < limit for one in taken):
            assert len(taken) < 5, (command, taken)
            taken.append(seconds(*command.split()) / measure_factor(time.process_time))
