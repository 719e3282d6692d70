"""What `nightmail status` prints when the API accepts connections and does not answer."""

import os
import socket
from pathlib import Path

import pytest
import typer

from nightmail_cli import client
from nightmail_cli.commands import status


def test_processes_are_listed_while_the_api_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        process = {"name": "ticker", "pid": os.getpid(), "restarts": 3, "ready_url": None, "ready_port": port}
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("NIGHTMAIL_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("NIGHTMAIL_TOKEN", "a token")
        monkeypatch.setattr(status, "running_processes", lambda _folder: [process])
        monkeypatch.setattr(client, "SYSTEM_TIMEOUT_SECONDS", 0.2)
        with pytest.raises(typer.Exit) as ended:
            status.status()
    assert ended.value.exit_code == 1
    printed = capsys.readouterr()
    assert "ticker" in printed.out
    assert "no service" not in printed.out
    assert "the API does not say how the services are: " in printed.err
