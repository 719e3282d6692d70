"""The settings that each process may see."""

import pytest

from nightmail_cli.local.up import may_see


@pytest.mark.parametrize(
    ("setting", "who"),
    [
        ("NIGHTMAIL_SMTP_PASSWORD", {"mailer"}),
        ("NIGHTMAIL_SMTP_USERNAME", {"mailer"}),
        ("NIGHTMAIL_ADMIN_TOKEN", {"api"}),
        ("NIGHTMAIL_DATABASE_URL", {"api"}),
        ("NIGHTMAIL_SECRET_KEY", {"api", "mailer"}),
        ("NIGHTMAIL_SECRET_CRM", {"runner"}),
        ("NIGHTMAIL_NATS_PASSWORD", {"api", "ticker", "runner", "mailer"}),
        ("NIGHTMAIL_TOKEN", set()),
        ("NIGHTMAIL_LOG_LEVEL", {"api", "ticker", "runner", "mailer", "catcher", "nats", "supervisor"}),
        ("NOTIFY_SOCKET", {"supervisor"}),
        ("PATH", {"api", "ticker", "runner", "mailer", "catcher", "nats", "supervisor"}),
    ],
)
def test_a_secret_reaches_only_the_service_that_needs_it(setting: str, who: set[str]) -> None:
    processes = ("api", "ticker", "runner", "mailer", "catcher", "nats", "supervisor")
    assert {process for process in processes if may_see(process, setting)} == who
