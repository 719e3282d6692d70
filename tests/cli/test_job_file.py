"""Job files: their content, and the errors of invalid ones."""

from pathlib import Path

import pytest

from nightmail_cli.commands.job_file import JobFileError, read_job


def test_a_yaml_file_may_include_its_script_from_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "report.py").write_text("return data\n")
    (tmp_path / "job.yaml").write_text("job_name: report\nprocessing_script: !file report.py\n")
    assert read_job(tmp_path / "job.yaml") == {"job_name": "report", "processing_script": "return data\n"}


def test_a_json_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"job_name": "daily été"}', encoding="utf-8")
    assert read_job(tmp_path / "job.json") == {"job_name": "daily été"}


def test_a_time_of_day_and_a_date_in_yaml_stay_text(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("schedules: [09:00, 17:30]\ncalendar: {days: [2026-12-24]}\nretries: 2\n")
    assert read_job(tmp_path / "job.yaml") == {
        "schedules": ["09:00", "17:30"],
        "calendar": {"days": ["2026-12-24"]},
        "retries": 2,
    }


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("job.yaml", "job_name: [", "line 1"),
        ("job.yaml", "a: 1\nb: c: d\n", r"^/.*job\.yaml, line 2: not valid YAML: mapping values are not allowed here$"),
        ("job.yaml", "a: \x01\n", r"^/.*job\.yaml: unacceptable character #x0001: special characters are not allowed$"),
        ("job.json", '{"job_name": }', "line 1 column 14"),
        ("job.yaml", "- a\n- list\n", "a job is a mapping of fields such as `job_name: sales`; this is a list"),
        ("job.yaml", "", "the file is empty"),
        ("job.yaml", "processing_script: !file missing.py\n", "missing.py: No such file or directory"),
        ("job.yaml", "job_name: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
    ],
)
def test_an_invalid_job_file_is_reported_with_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(JobFileError, match=said):
        read_job(tmp_path / name)


def test_a_missing_file_is_reported_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(JobFileError, match=r"nothing\.yaml: No such file"):
        read_job(tmp_path / "nothing.yaml")
