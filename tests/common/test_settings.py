"""Valid and invalid settings: an invalid one stops the start with one line that names it and has no secret."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import nkeys
import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from nightmail_common.service.settings import CommaSeparated, ServiceSettings, load
from support.deadlines import scaled

PASSWORD = "hunter2-hunter2"
SEED = nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_USER).decode()
#: As `nsc generate creds` writes it.
CREDENTIALS = f"""-----BEGIN NATS USER JWT-----
eyJ0eXAiOiJKV1QifQ.eyJqdGkiOiIxIn0.c2ln
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.

-----BEGIN USER NKEY SEED-----
{SEED}
------END USER NKEY SEED------
"""


class ExampleSettings(ServiceSettings):
    """A service's own settings: a required one, and a list."""

    model_config = SettingsConfigDict(frozen=True)

    place: str
    hosts: CommaSeparated = ()


def lines_of_a_start(
    capsys: pytest.CaptureFixture[str], settings: type[ServiceSettings] = ServiceSettings
) -> list[str]:
    """Return the lines of a failed start on stderr."""
    with pytest.raises(SystemExit) as ended:
        load(settings)
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (1, "")
    return said.err.splitlines()


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("LOG_FORMAT", "xml", "'console' or 'json'"),
        ("HEALTH_PORT", "65536", "less than or equal to 65535"),
        ("HEALTH_PORT", "http", "valid integer"),
        ("NATS_REPLICAS", "0", "greater than or equal to 1"),
        ("RUN_RETENTION", "soon", "as in 90d"),
        ("RUN_RETENTION", "0", "from 1s to 36500d"),
        ("RUN_RETENTION", "99999999999999d", "as in 90d"),
        ("RUN_RETENTION", "200000d", "from 1s to 36500d"),
        ("RESULT_RETENTION", "-1d", "as in 90d"),
        ("NATS_URL", ":::", "as in nats://127.0.0.1:4222"),
        ("NATS_URL", ",", "as in nats://127.0.0.1:4222"),
        ("NATS_URL", f"http://me:{PASSWORD}@127.0.0.1", "as in nats://127.0.0.1:4222"),
        ("NATS_URL", f"nats://me:{PASSWORD}@127.0.0.1:99999", "as in nats://127.0.0.1:4222"),
        ("NATS_URL", f"nats://me:{PASSWORD}@127.0.0.1, nats://[::1", "as in nats://127.0.0.1:4222"),
        ("NATS_URL", "nats://127.0.0.1, wss://127.0.0.1", "over WebSocket"),
        ("NATS_CREDS", "nowhere.creds", "nowhere.creds: No such file"),
        ("NATS_CREDS", os.devnull, "not a credentials file of NATS"),
        ("NATS_CREDS", "cut.creds", "not a credentials file of NATS"),
        ("NATS_CREDS", "wrong.creds", "wrong.creds: not the seed of a NATS user"),
        ("NATS_CA", "nowhere.pem", "nowhere.pem: No such file"),
        ("NATS_CA", os.devnull, "no PEM certificates"),
    ],
)
def test_a_malformed_setting_stops_the_start_with_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, why: str
) -> None:
    Path("cut.creds").write_text(CREDENTIALS.partition("-----BEGIN USER NKEY")[0])
    Path("wrong.creds").write_text(CREDENTIALS.replace(SEED, PASSWORD))
    monkeypatch.setenv(f"NIGHTMAIL_{name}", value)
    [line] = lines_of_a_start(capsys)
    assert line.startswith(f"error: setting NIGHTMAIL_{name}: ")
    assert why in line
    assert PASSWORD not in line


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_credentials_file_is_valid(monkeypatch: pytest.MonkeyPatch, line_end: str) -> None:
    Path("nightmail.creds").write_text(CREDENTIALS.replace("\n", line_end))
    monkeypatch.setenv("NIGHTMAIL_NATS_CREDS", "nightmail.creds")
    assert load(ServiceSettings).nats_creds == Path("nightmail.creds")


def test_every_missing_or_invalid_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTMAIL_LOG_LEVEL", "loud")
    named = {line.split(": ")[1] for line in lines_of_a_start(capsys, ExampleSettings)}
    assert named == {"setting NIGHTMAIL_PLACE", "setting NIGHTMAIL_LOG_LEVEL"}


def test_an_env_file_that_is_not_utf8_stops_the_start_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_bytes(b"NIGHTMAIL_LOG_LEVEL=\xff\n")
    assert lines_of_a_start(capsys) == ["error: .env is not UTF-8 text"]


def test_a_service_with_an_invalid_setting_prints_that_line_only() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "nightmail_ticker"],
        env={**os.environ, "NIGHTMAIL_NATS_URL": f"nats://me:{PASSWORD}@:4222"},
        capture_output=True,
        text=True,
        timeout=scaled(30),
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("error: setting NIGHTMAIL_NATS_URL: ")
    assert PASSWORD not in line


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("90", timedelta(days=90)),
        ("90d", timedelta(days=90)),
        ("12h", timedelta(hours=12)),
        ("30 m", timedelta(minutes=30)),
        (" 45s ", timedelta(seconds=45)),
    ],
)
def test_a_retention_is_in_days_unless_it_has_a_unit(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: timedelta
) -> None:
    monkeypatch.setenv("NIGHTMAIL_RUN_RETENTION", value)
    assert ServiceSettings().run_retention == expected


@pytest.mark.parametrize(
    "value",
    [
        "nats://127.0.0.1:4222",
        "127.0.0.1",
        "broker:4222",
        "nats://[::1]:4222",
        "tls://me:secret@a.example.com, nats://b.example.com:4223",
        "wss://a.example.com/nats",
    ],
)
def test_every_url_form_of_nats_is_valid(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("NIGHTMAIL_NATS_URL", value)
    assert ServiceSettings().nats_url == value


def test_a_list_has_commas_between_its_parts_and_spaces_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTMAIL_PLACE", "here")
    monkeypatch.setenv("NIGHTMAIL_HOSTS", " a.example.com,10.0.0.0/8 ,, b.example.com,")
    assert ExampleSettings().hosts == ("a.example.com", "10.0.0.0/8", "b.example.com")


def test_the_environment_overrides_the_file_and_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("NIGHTMAIL_LOG_LEVEL=debug\nNIGHTMAIL_LOG_FORMAT=json\nNIGHTMAIL_NATS_REPLICAS=3\n")
    monkeypatch.setenv("NIGHTMAIL_LOG_LEVEL", "error")
    monkeypatch.setenv("NIGHTMAIL_LOG_FORMAT", "")
    settings = load(ServiceSettings)
    assert (settings.log_level, settings.log_format, settings.nats_replicas) == ("error", "json", 3)


def test_without_a_url_the_broker_is_the_one_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("kept").mkdir()
    Path("kept/nats.env").write_text(f"NIGHTMAIL_NATS_URL=nats://127.0.0.1:4333\nNIGHTMAIL_NATS_PASSWORD={PASSWORD}\n")
    monkeypatch.setenv("NIGHTMAIL_DATA_DIR", "kept")
    settings = load(ServiceSettings)
    assert settings.nats_url == "nats://127.0.0.1:4333"
    assert settings.nats_password == SecretStr(PASSWORD)
    monkeypatch.setenv("NIGHTMAIL_NATS_URL", "nats://elsewhere:4222")
    elsewhere = load(ServiceSettings)
    assert (elsewhere.nats_url, elsewhere.nats_password) == ("nats://elsewhere:4222", None)


def test_printed_settings_have_no_password() -> None:
    settings = ServiceSettings(nats_password=SecretStr(PASSWORD))
    assert PASSWORD not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
