"""The API's settings: an invalid one stops the start and is named."""

import pytest

from nightmail_api.settings import ApiSettings
from nightmail_common.service.settings import load


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SECRET_KEY", "x", "at least 16 characters"),
        ("ADMIN_TOKEN", "hunter2", "at least 16 characters"),
        ("CORS_ORIGINS", "foo", "'foo': an origin has a scheme"),
        ("CORS_ORIGINS", "https://a.example.com, https://b.example.com/", "'https://b.example.com/'"),
        ("CORS_ORIGINS", "https://Reports.example.com", "in lower case"),
        ("CORS_ORIGINS", "https://a.example.com:443", "write https://a.example.com"),
        ("CORS_ORIGINS", "https://a.example.com:99999", "an origin has"),
        ("TRUSTED_PROXIES", "proxy.example.com", "not an address or a network"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "not an address or a network"),
        ("TRUSTED_PROXIES", "10.0.0.5/8", "write 10.0.0.0/8"),
        ("SCRIPT_IMPORTS", "a-b", "'a-b' is not the name of a package"),
    ],
)
def test_a_malformed_setting_stops_the_start_with_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, why: str
) -> None:
    monkeypatch.setenv(f"NIGHTMAIL_{name}", value)
    with pytest.raises(SystemExit):
        load(ApiSettings)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: setting NIGHTMAIL_{name}: ")
    assert why in line
    assert "hunter2" not in line


def test_every_valid_form_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = ("https://reports.example.com", "http://localhost:5173", "http://[::1]:8080", "chrome-extension://abc")
    proxies = ("10.1.2.3", "10.0.0.0/8", "fd00::/8")
    monkeypatch.setenv("NIGHTMAIL_CORS_ORIGINS", ", ".join(origins))
    monkeypatch.setenv("NIGHTMAIL_TRUSTED_PROXIES", ", ".join(proxies))
    settings = load(ApiSettings)
    assert (settings.cors_origins, settings.trusted_proxies) == (origins, proxies)
