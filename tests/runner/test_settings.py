"""The runner's settings: an entry that could never have an effect, or that fails every run, stops the start."""

from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from nightmail_common.service.settings import load
from nightmail_runner.bootstrap import warn_of_missing_imports
from nightmail_runner.settings import RunnerSettings


def start_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the only line of a failed start."""
    with pytest.raises(SystemExit):
        load(RunnerSettings)
    [line] = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("FETCH_ALLOW", "127.0.0.1/33", "'127.0.0.1/33' is not a network"),
        ("FETCH_ALLOW", "intra.example, 10.0.0.0/33", "'10.0.0.0/33' is not a network"),
        ("FETCH_ALLOW", "http://intra.example/", "name its host alone"),
        ("FETCH_ALLOW", "intra.example:8080", "not a host name without its port"),
        ("FETCH_ALLOW", "*.intra.example", "a pattern allows nothing"),
        ("FETCH_ALLOW", "10.0.0.256", "not a host name"),
        ("FETCH_ALLOW", "[::1]", "not a host name"),
        ("SCRIPT_MEMORY", "1", "at least 64MiB: a number without a unit is bytes"),
        ("MAX_INPUT_BYTES", "0", "at least 1kB"),
        ("MAX_INPUT_BYTES", "256", "at least 1kB"),
        ("MAX_RESULT_BYTES", "1", "at least 1kB"),
        ("MAX_JOB_RESULT_BYTES", "1", "at least 1kB"),
        ("FETCH_TIMEOUT", "inf", "finite"),
        ("SCRIPT_IMPORTS", "sklearn, a-b", "'a-b' is not the name of a package"),
        ("SCRIPT_IMPORTS", "sklearn.linear_model", "name its top-level package, sklearn"),
        ("CONNECTION_A", "hunter2", "a URL with a scheme, as in postgresql://"),
        (
            "SECRET_CRM_HOSTS",
            "crm.example.com, https://crm.example.com/",
            "'https://crm.example.com/' is not a host name",
        ),
        ("SECRET_CRM_HOSTS", "crm.example.com:8443", "without scheme, port and pattern"),
        ("SECRET_CRM_HOSTS", "*.example.com", "without scheme, port and pattern"),
        ("SECRET_CRM_HOSTS", "10.0.0.0/8", "nor an address"),
        ("SECRET_CRM_HOSTS", "a.example b.example", "not a host name"),
        ("CONNECTION_A", "://hunter2", "a URL with a scheme"),
    ],
)
def test_a_malformed_setting_stops_the_start_with_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, why: str
) -> None:
    monkeypatch.setenv(f"NIGHTMAIL_{name}", value)
    line = start_line(capsys)
    assert line.startswith(f"error: setting NIGHTMAIL_{name}: ")
    assert why in line
    assert "hunter2" not in line


def test_a_connection_of_the_env_file_is_checked_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_text("NIGHTMAIL_CONNECTION_SALES=hunter2\n")
    line = start_line(capsys)
    assert line.startswith("error: setting NIGHTMAIL_CONNECTION_SALES: ")
    assert "hunter2" not in line


def test_every_valid_form_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = "localhost, my_api, intra.example.com, b\u00fccher.example, 10.1.2.3, 10.0.0.1/8, ::1, fd00::/8"
    monkeypatch.setenv("NIGHTMAIL_FETCH_ALLOW", hosts)
    monkeypatch.setenv("NIGHTMAIL_SCRIPT_IMPORTS", "sklearn, my_package")
    monkeypatch.setenv("NIGHTMAIL_SECRET_CRM_HOSTS", "my_api, CRM.Example.com, b\u00fccher.example, 10.1.2.3, ::1")
    monkeypatch.setenv("NIGHTMAIL_SECRET_CRM", "*")
    for number, url in enumerate(("sqlite:////a.db", "postgresql://me@db/sales", "mysql+pymysql://me:x@db/sales")):
        monkeypatch.setenv(f"NIGHTMAIL_CONNECTION_{number}", url)
    settings = load(RunnerSettings)
    assert settings.fetch_allow == tuple(hosts.split(", "))
    assert settings.script_imports == ("sklearn", "my_package")


def test_a_package_of_script_imports_that_is_not_installed_is_logged_at_the_start() -> None:
    structlog.reset_defaults()
    with capture_logs() as lines:
        warn_of_missing_imports(("pandas", "no_such_package"))
    assert [(line["event"], line["package"]) for line in lines] == [("script_import_not_installed", "no_such_package")]
