"""The command `nightmail` against the whole system: runs, results, tokens, files."""

import hashlib
import json
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml

from e2e.conftest import NIGHTMAIL, DataServer, Nightmail
from e2e.said import as_json, change, name_in, refused, said, without_settings
from support.deadlines import scaled, wait_until
from support.ports import free_port
from support.service_starter import run_command


def test_a_job_is_created_shown_paused_resumed_and_deleted(nightmail: Nightmail, job_file: Path) -> None:
    name = name_in(job_file)
    assert said(nightmail, "jobs", "create", "-f", job_file).startswith(f"created {name!r}")
    assert as_json(nightmail, "jobs", "show", name)["job_name"] == name
    assert name in said(nightmail, "jobs", "list", "-q", name)
    assert as_json(nightmail, "jobs", "pause", name)["status"] == "paused"
    assert [job["job_name"] for job in as_json(nightmail, "jobs", "list", "--status", "paused")] == [name]
    assert said(nightmail, "jobs", "pause", name) == f"{name!r} is paused already\n"
    assert as_json(nightmail, "jobs", "resume", name)["status"] == "active"
    assert said(nightmail, "jobs", "resume", name).startswith(f"{name!r} is active already; it runs next at ")
    assert as_json(nightmail, "jobs", "delete", name) == {"job_name": name, "status": "deleted"}
    assert name in refused(nightmail, 1, "jobs", "show", name)


def test_a_run_is_waited_for_and_its_log_and_result_are_shown(nightmail: Nightmail, job_file: Path) -> None:
    change(job_file, processing_script="print('hello')\nreturn data.head(1)")
    said(nightmail, "jobs", "create", "-f", job_file)
    ended = nightmail.command_line("jobs", "run", "--wait", name_in(job_file))
    assert (ended.returncode, ended.stdout) == (0, "delivered, 1 rows\n")
    run_id = ended.stderr.split()[0]
    assert said(nightmail, "runs", "log", run_id) == "hello\n"
    assert said(nightmail, "runs", "result", run_id) == "region,amount\nnorth,10\n"
    assert as_json(nightmail, "runs", "result", run_id)["rows"] == [["north", "10"]]
    assert said(nightmail, "runs", "input", run_id) == "region,amount\nnorth,10\nsouth,5\nnorth,7\n"
    assert "no source 'other'" in refused(nightmail, 1, "runs", "input", run_id, "--source", "other")
    [mail] = [one for one in as_json(nightmail, "mails", "list", "--outcome", "accepted") if one["run_id"] == run_id]
    assert mail["next_attempt"] is None
    assert mail["answer"] in said(nightmail, "mails", "list", "--recipient", mail["recipient"])
    assert mail["recipient"] in said(nightmail, "mails", "list", "--message-id", mail["message_id"])
    assert as_json(nightmail, "runs", "show", run_id[:13])["run_id"] == run_id
    assert "mail-sent" in said(nightmail, "runs", "show", run_id)


def test_the_charts_of_a_run_are_listed_and_saved(nightmail: Nightmail, job_file: Path, tmp_path: Path) -> None:
    change(job_file, processing_script="data.plot.bar(x='region', title='Sales')\nreturn data")
    said(nightmail, "jobs", "create", "-f", job_file)
    run_id = nightmail.command_line("jobs", "run", "--wait", name_in(job_file)).stderr.split()[0]
    saved = tmp_path / "new" / "charts"
    listed = said(nightmail, "runs", "figures", run_id, "-o", str(saved)).splitlines()
    assert listed[1].startswith("figure-1.png")
    assert "Bar chart: Sales." in listed[1]
    [figure] = as_json(nightmail, "runs", "figures", run_id[:13])
    png = (saved / "figure-1.png").read_bytes()
    assert (len(png), hashlib.sha256(png).hexdigest()) == (figure["size"], figure["sha256"])
    mail = as_json(nightmail, "mail", "show")
    assert 'alt="Bar chart: Sales.' in mail["html"]
    assert 'src="data:image/png;base64,' in mail["html"]


def test_a_runs_mail_is_sent_again_and_all_that_was_refused_is(nightmail: Nightmail, job_file: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    run_id = as_json(nightmail, "jobs", "run", "--wait", name_in(job_file))["run_id"]
    recipient = as_json(nightmail, "runs", "show", run_id)["mails"][0]["address"]
    assert "requested again" in said(nightmail, "runs", "resend", run_id[:13], "--to", recipient)
    assert as_json(nightmail, "runs", "resend", "--undelivered-since", "2026-01-01T00:00:00Z") == []
    assert "name a run" in refused(nightmail, 2, "runs", "resend")
    assert "name a run" in refused(
        nightmail, 2, "runs", "resend", run_id, "--undelivered-since", "2026-01-01T00:00:00Z"
    )


def test_runs_are_listed_by_the_beginning_of_their_ids(nightmail: Nightmail, job_file: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    name = name_in(job_file)
    ids = [as_json(nightmail, "jobs", "run", name)["run_id"] for _ in range(2)]
    lines = said(nightmail, "runs", "list", "--job", name).splitlines()[1:]
    begins = [line.split()[0] for line in lines]
    assert [run_id.startswith(begin) for run_id, begin in zip(reversed(ids), begins, strict=True)] == [True, True]
    assert [as_json(nightmail, "runs", "show", begin)["run_id"] for begin in begins] == ids[::-1]


def test_runs_are_listed_by_the_time_of_their_request(nightmail: Nightmail, job_file: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    name = name_in(job_file)
    ids = [as_json(nightmail, "jobs", "run", name)["run_id"] for _ in range(2)]
    between = as_json(nightmail, "runs", "show", ids[1])["requested_at"]

    def listed(bound: str) -> list[str]:
        return [run["run_id"] for run in as_json(nightmail, "runs", "list", "--job", name, bound, between)]

    assert (listed("--since"), listed("--until")) == ([ids[1]], [ids[0]])


@pytest.mark.parametrize(
    ("status", "prefix", "words"),
    [(1, "ffffffff", "no run whose id begins"), (2, "xyzz", "hexadecimal"), (2, "0", "hexadecimal")],
)
def test_a_prefix_of_no_run_is_refused(nightmail: Nightmail, status: int, prefix: str, words: str) -> None:
    for command in (("show",), ("watch",), ("diff",), ("resend",)):
        message = refused(nightmail, status, "runs", *command, prefix)
        assert words in " ".join(message.split())
        assert "id_prefix" not in message


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("runs", "list", "--status", "nope"), "undelivered"),
        (("jobs", "list", "--status", "nope"), "paused"),
        (("runs", "list", "--since", "nope"), "2026-11-23T09:00:00+01:00"),
        (("mails", "list", "--outcome", "nope"), "bounced"),
        (("mails", "list", "--since", "nope"), "2026-11-23T09:00:00+01:00"),
        (("mails", "list", "--since", "2026-11-23T09:00:00"), "2026-11-23T09:00:00+01:00"),
        (("runs", "resend", "--undelivered-since", "nope"), "2026-11-23T09:00:00+01:00"),
    ],
)
def test_a_wrong_value_of_an_option_is_wrong_usage(nightmail: Nightmail, command: tuple[str, ...], words: str) -> None:
    message = refused(nightmail, 2, *command)
    assert (words in message, command[-2] in message) == (True, True)


def test_the_events_of_an_unknown_job_are_an_error(nightmail: Nightmail) -> None:
    assert "a job named 'nosuchjob'" in refused(nightmail, 1, "events", "tail", "--job", "nosuchjob")


def test_runs_of_an_unknown_job_are_an_error(nightmail: Nightmail) -> None:
    assert "no job named 'nosuchjob'" in refused(nightmail, 1, "runs", "list", "--job", "nosuchjob")


def test_a_run_is_watched_until_it_ends(nightmail: Nightmail, job_file: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    run_id = as_json(nightmail, "jobs", "run", name_in(job_file))["run_id"]
    lines = said(nightmail, "runs", "watch", run_id).splitlines()
    words = [line.split()[3] for line in lines]
    # The copy of the input is stored beside the run, before or after its mail.
    assert words == ["requested", "running", "processed", "mailed"]
    assert all(name_in(job_file) in line for line in lines)


def test_a_preview_says_how_many_rows_it_shows(nightmail: Nightmail, job_file: Path) -> None:
    change(job_file, processing_script="return pd.DataFrame({'n': range(344)})")
    assert said(nightmail, "jobs", "preview", "-f", job_file).endswith("the first 20 of 344 rows\n")
    change(job_file, processing_script="return pd.DataFrame({'n': range(1)})")
    assert said(nightmail, "jobs", "preview", "-f", job_file).endswith("\n1 row\n")
    sent = nightmail.command_line("jobs", "preview", "-f", job_file, "--send-to", "ann@example.com")
    assert (sent.returncode, "mail to ann@example.com: accepted: 250 " in sent.stderr) == (0, True), sent.stderr


def test_a_command_finds_the_system_of_the_folder_in_which_the_user_stands(nightmail: Nightmail) -> None:
    (nightmail.data_dir / "files" / "deep").mkdir(mode=0o700)
    for folder in (nightmail.data_dir.parent, nightmail.data_dir, nightmail.data_dir / "files" / "deep"):
        listed = run_command(["jobs", "list", "--json"], without_settings(), folder, scaled(60))
        assert (listed.returncode, listed.stderr) == (0, "")


def test_without_a_token_the_places_for_one_are_named(tmp_path: Path) -> None:
    refusal = subprocess.run(
        [NIGHTMAIL, "jobs", "list"], cwd=tmp_path, env=without_settings(), capture_output=True, text=True, check=False
    )
    assert refusal.returncode == 1
    assert str(tmp_path / "data" / "admin-token") in refusal.stderr


def test_a_run_under_way_is_cancelled_once(nightmail: Nightmail, job_file: Path) -> None:
    change(job_file, processing_script="import time\nwhile True:\n    time.sleep(0.05)")
    said(nightmail, "jobs", "create", "-f", job_file)
    run_id = as_json(nightmail, "jobs", "run", name_in(job_file))["run_id"]
    assert said(nightmail, "runs", "cancel", run_id) == f"{run_id} cancelled\n"
    assert as_json(nightmail, "runs", "show", run_id)["status"] == "cancelled"
    assert "it is cancelled" in refused(nightmail, 1, "runs", "cancel", run_id)


def test_a_run_that_its_script_skips_shows_the_reason(nightmail: Nightmail, job_file: Path) -> None:
    change(job_file, processing_script="print('looked')\nskip('no sales today')")
    said(nightmail, "jobs", "create", "-f", job_file)
    ended = nightmail.command_line("jobs", "run", "--wait", name_in(job_file))
    assert (ended.returncode, ended.stdout) == (0, "skipped (script): no sales today\n")
    run_id = ended.stderr.split()[0]
    assert "no sales today" in said(nightmail, "runs", "show", run_id)
    assert said(nightmail, "runs", "log", run_id) == "looked\n"
    assert not [mail for mail in as_json(nightmail, "mails", "list") if mail["run_id"] == run_id]


def test_a_result_with_another_delimiter_is_read_as_its_job_writes_it(nightmail: Nightmail, job_file: Path) -> None:
    csv = {"delimiter": ";", "decimal": ",", "bom": True}
    change(job_file, processing_script="return data.head(1).assign(share=0.5)", csv=csv)
    said(nightmail, "jobs", "create", "-f", job_file)
    ended = nightmail.command_line("jobs", "run", "--wait", name_in(job_file))
    assert ended.returncode == 0
    run_id = ended.stderr.split()[0]
    assert said(nightmail, "runs", "result", run_id) == "\ufeffregion;amount;share\nnorth;10;0,5\n"
    said(nightmail, "jobs", "delete", name_in(job_file))
    result = as_json(nightmail, "runs", "result", run_id)
    assert (result["columns"], result["rows"]) == (["region", "amount", "share"], [["north", "10", "0,5"]])


def test_a_failed_run_ends_the_waiting_command_with_1_and_the_reason(nightmail: Nightmail, job_file: Path) -> None:
    change(job_file, processing_script="raise ValueError('no sales today')")
    said(nightmail, "jobs", "create", "-f", job_file)
    ended = nightmail.command_line("jobs", "run", "--wait", name_in(job_file))
    assert ended.returncode == 1
    assert ended.stdout == "failed at script: ValueError: no sales today\n"
    assert "    raise ValueError('no sales today')\n" in ended.stderr
    run_id = ended.stderr.split()[0]
    assert f"nightmail runs show {run_id} shows the run" in ended.stderr


def test_a_token_is_made_listed_and_revoked(nightmail: Nightmail) -> None:
    token = as_json(nightmail, "tokens", "create", "visitor", "--role", "viewer")["token"]
    assert "visitor" in said(nightmail, "tokens", "list")
    assert nightmail.command_line("jobs", "list", NIGHTMAIL_TOKEN=token).returncode == 0
    refusal = nightmail.command_line("jobs", "pause", "any", NIGHTMAIL_TOKEN=token)
    assert (refusal.returncode, refusal.stdout) == (1, "")
    said(nightmail, "tokens", "revoke", "visitor")
    assert nightmail.command_line("jobs", "list", NIGHTMAIL_TOKEN=token).returncode == 1
    assert "visitor" not in said(nightmail, "tokens", "list")


def test_an_uploaded_file_is_what_a_job_reads(nightmail: Nightmail, job_file: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("region,amount\nnorth,10\n")
    stored = as_json(nightmail, "files", "put", table, "uploads/my table.csv")
    assert "uploads/my table.csv" in said(nightmail, "files", "list")
    assert nightmail.command_line("files", "get", "uploads/my table.csv").stdout == table.read_text()
    saved = as_json(nightmail, "files", "get", "uploads/my table.csv", "-o", tmp_path / "copy.csv")
    facts = {"bytes": table.stat().st_size, "sha256": stored["sha256"]}
    assert saved == {"path": "uploads/my table.csv", "file": str(tmp_path / "copy.csv")} | facts
    assert (tmp_path / "copy.csv").read_text() == table.read_text()
    source = {"source_type": "file", "location": "uploads/my table.csv", "file_type": "csv"}
    change(job_file, data_source=source, processing_script="return data")
    said(nightmail, "jobs", "create", "-f", job_file)
    run_id = as_json(nightmail, "jobs", "run", name_in(job_file), "--wait")["run_id"]
    read = as_json(nightmail, "runs", "input", run_id[:13], "-o", tmp_path / "read.csv")
    assert read == {"run_id": run_id, "source": "data", "file": str(tmp_path / "read.csv")} | facts
    assert as_json(nightmail, "runs", "input", run_id) == read | {"file": None}
    assert "`nightmail files delete --force`" in refused(nightmail, 1, "files", "delete", "uploads/my table.csv")
    refused(nightmail, 1, "files", "put", table, "uploads/my table.csv", "--if-match", "0" * 64)
    said(nightmail, "files", "put", table, "uploads/my table.csv", "--if-match", stored["sha256"])
    said(nightmail, "files", "delete", "uploads/my table.csv", "--force")
    assert "uploads/my table.csv" not in said(nightmail, "files", "list")


def test_a_source_that_gives_no_data_is_a_warning(nightmail: Nightmail, job_file: Path) -> None:
    missing = {"source_type": "file", "location": "missing.csv", "file_type": "csv"}
    change(job_file, data_source=missing)
    made = nightmail.command_line("jobs", "create", "-f", str(job_file))
    assert (made.returncode, made.stderr) == (0, "warning: data_source: 'missing.csv': No such file or directory\n")
    change(job_file, description="other")
    applied = nightmail.command_line("jobs", "apply", "-f", str(job_file))
    assert applied.returncode == 0
    assert "data_source: 'missing.csv': No such file or directory" in applied.stderr


def test_an_unknown_event_type_is_a_usage_error(nightmail: Nightmail) -> None:
    assert "run-failed" in refused(nightmail, 2, "events", "tail", "--type", "run-broke")


def test_the_shell_completes_names_of_jobs(nightmail: Nightmail, job_file: Path) -> None:
    name = name_in(job_file)
    change(job_file, job_name="completed-" + name[-10:].strip())
    said(nightmail, "jobs", "create", "-f", job_file)
    words = {"_NIGHTMAIL_COMPLETE": "complete_bash", "COMP_WORDS": "nightmail jobs show completed-", "COMP_CWORD": "3"}
    # The shell waits a second for an answer of the API, and then shows none.
    wait_until(lambda: nightmail.command_line(**words).stdout.strip() == name_in(job_file), "the name is completed")


def test_open_prints_a_link_to_the_console_that_signs_in_once(nightmail: Nightmail) -> None:
    nightmail.create(job_name="ventes d'été")
    made = as_json(nightmail, "open", "jobs", "ventes d'été")
    address, _, code = made["url"].partition("#start=")
    assert address == f"{nightmail.url}/console/jobs/ventes%20d%27%C3%A9t%C3%A9"
    answers = [httpx.post(f"{nightmail.url}/session", json={"code": code}, timeout=scaled(20)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 401]
    assert refused(nightmail, 2, "open", "tokens", "x")


def test_open_takes_the_beginning_of_a_runs_id_and_refuses_what_does_not_exist(
    nightmail: Nightmail, job_file: Path
) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    run_id = nightmail.run(name_in(job_file))
    made = as_json(nightmail, "open", "runs", run_id[:23])
    assert made["url"].startswith(f"{nightmail.url}/console/runs/{run_id}#start=")
    assert "there is no job named" in refused(nightmail, 1, "open", "jobs", "not there")
    assert "there is no run whose id begins" in refused(nightmail, 1, "open", "runs", "ffffffff")


def test_an_example_that_cannot_be_begun_now_can_be_begun_later(nightmail: Nightmail, tmp_path: Path) -> None:
    job_file = tmp_path / "top.yaml"
    words = ("jobs", "new", "top-customers", "-o", str(job_file))
    away = nightmail.command_line(*words, NIGHTMAIL_URL=f"http://127.0.0.1:{free_port()}", NIGHTMAIL_TOKEN="x")
    assert (away.returncode, "cannot reach the API" in away.stderr) == (1, True), away.stderr
    assert not job_file.exists()
    assert f"wrote {job_file}" in said(nightmail, *words)
    assert "exists; name another file" in refused(nightmail, 1, *words)


def test_a_login_serves_the_commands_of_a_user_elsewhere(nightmail: Nightmail, tmp_path: Path) -> None:
    environment = without_settings() | {"XDG_CONFIG_HOME": str(tmp_path)}

    def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return run_command(arguments, environment, tmp_path, scaled(60))

    def login(given: str) -> "subprocess.CompletedProcess[str]":
        command = [NIGHTMAIL, "login", nightmail.url]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, input=given, capture_output=True, text=True, check=False
        )

    assert "refuses the token" in login("wrong\n").stderr
    assert "no token was given" in command("login", nightmail.url).stderr
    assert "admin (admin)" in login(nightmail.token).stdout
    assert (tmp_path / "nightmail" / "login.json").stat().st_mode & 0o777 == 0o600
    assert command("jobs", "list").returncode == 0
    checks = json.loads(command("doctor", "--json").stdout)["checks"]
    assert "data folder" not in {one["name"] for one in checks}, "the system runs elsewhere"
    assert command("login", "--remove").returncode == 0
    without = command("jobs", "list")
    assert (without.returncode, "in the folder of `nightmail up`" in without.stderr) == (1, True), without.stderr


def test_a_wrong_url_or_token_says_what_to_change(nightmail: Nightmail) -> None:
    wrong = nightmail.command_line("jobs", "list", NIGHTMAIL_URL="foo")
    assert (wrong.returncode, "setting NIGHTMAIL_URL: an http:// or" in wrong.stderr) == (1, True), wrong.stderr
    wrong = nightmail.command_line("jobs", "list", NIGHTMAIL_TOKEN="not-a-token-of-it")
    assert (wrong.returncode, "nightmail login stores another token" in wrong.stderr) == (1, True), wrong.stderr


def test_the_version_is_printed(nightmail: Nightmail) -> None:
    assert said(nightmail, "--version").startswith("nightmail 0.")


def test_what_a_run_changed_is_shown_against_the_last_delivered_one(
    nightmail: Nightmail, job_file: Path, source: DataServer
) -> None:
    change(job_file, processing_script="return data", compare_by=["region"])
    url = yaml.safe_load(job_file.read_text())["data_source"]["location"]
    source.serve("/sales.csv", b"region,amount\nnorth,10\nsouth,5\n")
    said(nightmail, "jobs", "create", "-f", job_file)
    name = name_in(job_file)
    run = ("jobs", "run", "--wait", name)
    first, second = nightmail.command_line(*run).stderr.split()[0], None
    assert "name the run to compare with" in refused(nightmail, 1, "runs", "diff", first)
    source.serve("/sales.csv", b'region,amount\n"east, far",7\nsouth,6\n')
    assert url.endswith("/sales.csv")
    second = nightmail.command_line(*run).stderr.split()[0]
    shown = (
        f"from the run {first}\n  to the run {second}\nrows: 1 new, 1 gone, 1 changed, 0 unchanged\n"
        '+ "east, far",7\n- north,10\n~ south: amount: 5 -> 6\n'
    )
    assert said(nightmail, "runs", "diff", second, "--key", "region") == shown
    assert said(nightmail, "runs", "diff", second[:20], first[:20], "--key", "region") == shown
    assert as_json(nightmail, "runs", "diff", second)["rows"]["added"]["count"] == 2
    changes = as_json(nightmail, "runs", "show", second)["changes"]
    assert (changes["run_id"], changes["added"], changes["removed"], changes["changed"]) == (first, 1, 1, 1)
    assert "changes  1 new, 1 gone, 1 changed, 0 unchanged since " in said(nightmail, "runs", "show", second)
    assert "there are region, amount" in refused(nightmail, 1, "runs", "diff", second, "--key", "regoin")
