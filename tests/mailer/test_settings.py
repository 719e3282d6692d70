"""The mailer's settings: an invalid one stops the start and is named."""

import pytest

from nightmail_common.service.settings import load
from nightmail_mailer.settings import MailerSettings


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "SMTP_HOST: Field required"),
        ({"SMTP_HOST": "mail", "SMTP_FROM": "Reports <reports@example.com>"}, "SMTP_FROM: an address without a name"),
        ({"SMTP_HOST": "mail", "PUBLIC_URL": "nightmail.example.com"}, "PUBLIC_URL: an http:// or https:// URL"),
        ({"SMTP_HOST": "mail", "SMTP_CA": "/nowhere.pem"}, "SMTP_CA: /nowhere.pem: No such file or directory"),
        ({"SMTP_HOST": "mail", "SMTP_CA": __file__}, f"SMTP_CA: {__file__} has no PEM certificates in it"),
        ({"SMTP_HOST": "mail", "PUBLIC_URL": "https://a.example.com"}, "SECRET_KEY: links to NIGHTMAIL_PUBLIC_URL"),
    ],
)
def test_a_missing_or_invalid_setting_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], environment: dict[str, str], named: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"NIGHTMAIL_{name}", value)
    with pytest.raises(SystemExit):
        load(MailerSettings)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: setting NIGHTMAIL_{named}")
