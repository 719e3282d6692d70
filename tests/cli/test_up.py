"""What `nightmail up` gives each process: the settings that it may see, and ports."""

from pathlib import Path

import pytest

from nightmail_cli.local import up
from nightmail_cli.local.up import may_see
from nightmail_common.contract.errors import CannotStart


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


def test_each_process_gets_a_port_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(port for port in range(20_000, 32_000, 8) if all(up._is_free(port + number) for number in range(8)))
    monkeypatch.setattr(up, "INTERNAL_PORTS", range(first, first + 8))
    settings = up.UpSettings(data_dir=tmp_path, port=first)
    specs = up._specs(settings, first + 1, 2, catch=True)
    urls = [{url.split("/")[2] for url in (spec.ready_url, spec.live_url) if url} for spec in specs]
    ports = [int(address.split(":")[1]) for addresses in urls for address in addresses]
    ports += [spec.ready_port for spec in specs if spec.ready_port is not None]
    assert sorted(ports) == list(range(first, first + 8))
    with pytest.raises(CannotStart, match="no port of"):
        up._specs(settings, first + 1, 3, catch=True)
