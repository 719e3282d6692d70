"""Files of jobs and the command `nightmail`: apply, pull, edit, and the examples to begin with."""

import json
from pathlib import Path

import yaml

from e2e.conftest import Nightmail
from e2e.said import as_json, change, name_in, refused, said, said_with
from nightmail_cli.commands.job_file import read_job
from support.job_requests import job_request, schedule_in_half_a_year

REPOSITORY = Path(__file__).parents[2]


def test_apply_shows_and_executes_the_plan_and_is_idempotent(nightmail: Nightmail, job_file: Path) -> None:
    name = name_in(job_file)
    assert "1 create" in said(nightmail, "jobs", "apply", "-f", job_file.parent, "--dry-run")
    refused(nightmail, 1, "jobs", "show", name)
    assert "1 create" in said(nightmail, "jobs", "apply", "-f", job_file.parent)
    assert "1 unchanged" in said(nightmail, "jobs", "apply", "-f", job_file.parent)
    change(job_file, schedule_time="15 9 * * *", processing_script="x = 1\nreturn data", description="new")
    plan = said(nightmail, "jobs", "apply", "-f", job_file.parent)
    assert f"schedule_time: '{schedule_in_half_a_year()}' -> '15 9 * * *'" in plan
    assert "      +return data" in plan
    assert "1 update" in plan
    assert as_json(nightmail, "jobs", "show", name)["version"] == 2


def test_apply_resets_a_field_that_is_no_longer_in_the_file(nightmail: Nightmail, job_file: Path) -> None:
    change(job_file, description="of the north", retries=3)
    said(nightmail, "jobs", "apply", "-f", job_file)
    fields = yaml.safe_load(job_file.read_text())
    del fields["retries"]
    job_file.write_text(yaml.safe_dump(fields))
    [step] = as_json(nightmail, "jobs", "apply", "-f", job_file)
    assert step["changes"] == [{"field": "retries", "before": 3, "after": 0}]
    assert as_json(nightmail, "jobs", "show", name_in(job_file))["retries"] == 0


def test_the_plan_shows_a_time_zone_that_is_no_longer_in_the_file(nightmail: Nightmail, job_file: Path) -> None:
    change(job_file, timezone="Europe/Paris")
    said(nightmail, "jobs", "apply", "-f", job_file)
    fields = yaml.safe_load(job_file.read_text())
    del fields["timezone"]
    job_file.write_text(yaml.safe_dump(fields))
    [step] = as_json(nightmail, "jobs", "apply", "-f", job_file)
    assert step["changes"] == [{"field": "timezone", "before": "Europe/Paris", "after": "UTC"}]
    assert as_json(nightmail, "jobs", "show", name_in(job_file))["timezone"] == "UTC"
    assert "1 unchanged" in said(nightmail, "jobs", "apply", "-f", job_file)


def test_apply_changes_nothing_if_any_file_is_wrong(nightmail: Nightmail, job_file: Path) -> None:
    wrong = job_file.with_name("wrong.yaml")
    wrong.write_text(yaml.safe_dump(job_request(job_name="wrong", schedule_time="61 * * * *")))
    message = refused(nightmail, 1, "jobs", "apply", "-f", job_file.parent)
    assert "wrong.yaml: schedule_time" in message
    refused(nightmail, 1, "jobs", "show", name_in(job_file))


def test_apply_refuses_two_files_for_one_job(nightmail: Nightmail, job_file: Path) -> None:
    job_file.with_name("twin.yaml").write_text(job_file.read_text())
    assert "both" in refused(nightmail, 1, "jobs", "apply", "-f", job_file.parent)


def test_an_earlier_version_is_listed_and_restored(nightmail: Nightmail, job_file: Path) -> None:
    said(nightmail, "jobs", "apply", "-f", job_file)
    change(job_file, schedule_time="@yearly")
    said(nightmail, "jobs", "apply", "-f", job_file)
    versions = said(nightmail, "jobs", "versions", name_in(job_file))
    assert f"schedule_time: '{schedule_in_half_a_year()}' -> '@yearly'" in versions
    assert said(nightmail, "jobs", "rollback", name_in(job_file), "1").startswith("version 3 of")
    for version in ("1", "3"):
        assert said(nightmail, "jobs", "rollback", name_in(job_file), version).startswith(
            "nothing changed: version 3 of"
        )
    assert as_json(nightmail, "jobs", "show", name_in(job_file))["schedule_time"] == schedule_in_half_a_year()
    assert "no version 9" in refused(nightmail, 1, "jobs", "rollback", name_in(job_file), "9")


def test_pulled_jobs_are_applied_without_a_change(nightmail: Nightmail, job_file: Path, tmp_path: Path) -> None:
    fields = {"csv": {"delimiter": ";"}, "description": "two\nlines", "timezone": "Asia/Tokyo", "retries": 2}
    change(job_file, **fields)
    said(nightmail, "jobs", "create", "-f", job_file)
    folder = tmp_path / "pulled"
    [pulled] = as_json(nightmail, "jobs", "pull", name_in(job_file), "-o", folder)
    assert pulled["action"] == "create"
    assert yaml.safe_load(Path(pulled["file"]).read_text()) == yaml.safe_load(job_file.read_text())
    assert "1 unchanged" in said(nightmail, "jobs", "apply", "-f", folder)
    assert "unchanged" in said(nightmail, "jobs", "pull", name_in(job_file), "-o", folder)


def test_schedules_and_a_calendar_are_applied_planned_and_pulled(
    nightmail: Nightmail, job_file: Path, tmp_path: Path
) -> None:
    job = yaml.safe_load(job_file.read_text())
    del job["schedule_time"]
    when = "schedules: [09:00, 17:30]\ncalendar: {country: DE, days: [2026-12-24]}\n"
    job_file.write_text(yaml.safe_dump(job) + when)
    assert "1 create" in said(nightmail, "jobs", "apply", "-f", job_file)
    assert "1 unchanged" in said(nightmail, "jobs", "apply", "-f", job_file)
    assert "09:00; 17:30" in said(nightmail, "jobs", "list", "-q", name_in(job_file))
    folder = tmp_path / "pulled"
    said(nightmail, "jobs", "pull", name_in(job_file), "-o", folder)
    assert "1 unchanged" in said(nightmail, "jobs", "apply", "-f", folder)
    job_file.write_text(yaml.safe_dump(job) + when.replace("DE", "FR").replace(", 17:30", ""))
    plan = said(nightmail, "jobs", "apply", "-f", job_file, "--dry-run")
    assert "schedules: ['09:00', '17:30'] -> ['09:00']" in plan
    assert "'country': 'FR'" in plan


def test_every_example_survives_a_round_trip(nightmail: Nightmail, tmp_path: Path) -> None:
    examples = REPOSITORY / "examples" / "jobs"
    count = len(list(examples.glob("*.yaml")))
    said(nightmail, "jobs", "apply", "-f", examples)
    said(nightmail, "jobs", "pull", "-o", tmp_path)
    names = {read_job(path)["job_name"] for path in examples.glob("*.yaml")}
    for path in tmp_path.glob("*.yaml"):
        if name_in(path) not in names:
            path.unlink()
    assert f"0 create, 0 update, 0 delete, {count} unchanged" in said(nightmail, "jobs", "apply", "-f", tmp_path)
    for name in names:
        said(nightmail, "jobs", "delete", name)


def test_what_show_prints_can_be_applied_again(nightmail: Nightmail, job_file: Path, tmp_path: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    shown = tmp_path / "shown.json"
    shown.write_text(said(nightmail, "jobs", "show", name_in(job_file), "--json"))
    assert "1 unchanged" in said(nightmail, "jobs", "apply", "-f", shown)


def test_show_prints_how_a_job_goes_and_its_definition(nightmail: Nightmail, job_file: Path, tmp_path: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    facts, _, definition = said(nightmail, "jobs", "show", name_in(job_file)).partition("\n\n")
    assert facts.startswith(f"{name_in(job_file)}: active\nnext run  2")
    assert "{" not in facts
    (tmp_path / "shown.yaml").write_text(definition)
    assert "1 unchanged" in said(nightmail, "jobs", "apply", "-f", tmp_path / "shown.yaml")


def test_a_job_is_edited_previewed_and_saved(nightmail: Nightmail, job_file: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    name = name_in(job_file)
    done = nightmail.command_line("jobs", "edit", name, EDITOR="sed -i 's/return data/return data.head(1)/'")
    assert done.returncode == 0, done.stderr
    assert "north" in done.stdout
    assert "saved" in done.stdout
    assert as_json(nightmail, "jobs", "show", name)["version"] == 2


def test_an_edit_with_json_prints_the_saved_job_alone(nightmail: Nightmail, job_file: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    name = name_in(job_file)
    edits = ("sed -i 's/return data/return data.head(1)/'", "true")
    for editor in edits:
        done = nightmail.command_line("jobs", "edit", name, "--json", EDITOR=editor)
        assert done.returncode == 0, done.stderr
        assert (json.loads(done.stdout)["job_name"], json.loads(done.stdout)["version"]) == (name, 2)
        assert ("north" if editor == edits[0] else "nothing was changed") in done.stderr


def test_a_preview_that_the_script_skips_says_why(nightmail: Nightmail, job_file: Path) -> None:
    job = read_job(job_file) | {"processing_script": "skip('nothing new')"}
    job_file.write_text(yaml.safe_dump(job))
    assert said(nightmail, "jobs", "preview", "-f", job_file) == "skipped by the script: nothing new\n"


def test_an_edit_whose_script_fails_is_kept_as_a_draft(nightmail: Nightmail, job_file: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    name = name_in(job_file)
    done = nightmail.command_line("jobs", "edit", name, EDITOR="sed -i s/return/raise/")
    assert done.returncode == 1
    draft = Path(done.stdout.split("the draft is in ")[1].strip())
    assert "raise" in draft.read_text()
    assert as_json(nightmail, "jobs", "show", name)["version"] == 1


def test_an_editor_that_changes_nothing_saves_nothing(nightmail: Nightmail, job_file: Path) -> None:
    said(nightmail, "jobs", "create", "-f", job_file)
    assert said_with(nightmail, "jobs", "edit", name_in(job_file), EDITOR="true") == "nothing was changed\n"


def test_a_new_user_begins_with_an_example_and_gets_its_report(nightmail: Nightmail, tmp_path: Path) -> None:
    listed = as_json(nightmail, "jobs", "new")
    assert "top-customers" in {one["name"] for one in listed}
    assert all(one["report"] for one in listed)
    file = tmp_path / "mine.yaml"
    begun = as_json(nightmail, "jobs", "new", "top-customers", "--to", "me@example.com", "-o", file)
    assert yaml.safe_load(file.read_text())["consumer_emails"] == ["me@example.com"]
    said(nightmail, "jobs", "create", "-f", file)
    ended = nightmail.command_line("jobs", "run", "--wait", begun["job_name"])
    assert ended.returncode == 0, ended.stderr
    [mail] = nightmail.mails(ended.stderr.split()[0])
    assert mail["To"] == "me@example.com"
    assert "exists" in refused(nightmail, 1, "jobs", "new", "top-customers", "-o", file)
    said(nightmail, "jobs", "delete", begun["job_name"])


def test_every_example_can_be_begun_with(nightmail: Nightmail, tmp_path: Path) -> None:
    for example in as_json(nightmail, "jobs", "new"):
        file = tmp_path / f"{example['name']}.yaml"
        as_json(nightmail, "jobs", "new", example["name"], "--to", "me@example.com", "-o", file)
        preview = as_json(nightmail, "jobs", "preview", "-f", file)
        assert preview["error"] is None, example
