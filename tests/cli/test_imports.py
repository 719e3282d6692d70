"""What a command imports: to import the clients of HTTP and NATS takes longer than all that a command does with them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.commands import every_command

#: Prints the imported modules, whatever the command does.
SCRIPT = """
import json, sys
from nightmail_cli.main import app
for command in json.loads(sys.argv[1]):
    try:
        app(command)
    except SystemExit:
        pass
sys.__stdout__.write("\\n" + json.dumps(sorted({name for name, module in sys.modules.items() if module is not None})))
"""
#: No command needs them to print its help; typer itself imports pydantic for a command's parameters.
HELP_NEEDS_NO = {
    "httpx",
    "nightmail_client",
    "pydantic_settings",
    "rich",
    "nats",
    "fastapi",
    "pandas",
    "mcp",
    "aiosmtpd",
}
#: No command that calls the API needs them.
CALL_NEEDS_NO = {"nats", "structlog", "faststream", "fastapi", "pandas", "mcp", "nightmail_client.asynchronous"} | {
    "nightmail_common.contract.events",
    "nightmail_common.contract.job_definition",
    "httpx._main",
    "pygments",
}


def imported(*commands: list[str], folder: Path) -> set[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTMAIL_")}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(commands)],
        cwd=folder,
        # Nothing answers there.
        env=environment | {"NIGHTMAIL_URL": "http://127.0.0.1:1", "NIGHTMAIL_TOKEN": "token"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ended.stdout.rpartition("\n")[2]))


def test_no_help_imports_a_client(tmp_path: Path) -> None:
    assert not imported(*([*words, "--help"] for words in every_command()), folder=tmp_path) & HELP_NEEDS_NO


def test_the_first_help_imports_no_command(tmp_path: Path) -> None:
    modules = imported(["--help"], ["--version"], folder=tmp_path)
    assert not {name for name in modules if name.startswith("nightmail_cli.commands")}
    assert not modules & {"pydantic", "asyncio", "yaml"}


@pytest.mark.parametrize(
    "command",
    ["jobs list", "jobs show daily", "runs list", "runs show 01a2", "mails list", "files list", "tokens list"],
)
def test_a_command_imports_the_client_that_it_needs_and_no_other(tmp_path: Path, command: str) -> None:
    modules = imported(command.split(), folder=tmp_path)
    assert "nightmail_client.blocking.client" in modules
    assert not modules & CALL_NEEDS_NO


def test_the_services_of_this_machine_share_no_module_that_none_of_them_needs() -> None:
    """structlog and httpx import rich where it is installed, and `nightmail_cli.local` keeps them from it."""
    script = """
import sys
from nightmail_cli.local.patches import leave_out_rich
leave_out_rich()
import nightmail_cli.local.supervisor
from nightmail_cli.local.prefork import preload
preload()
import nightmail_api.main, nightmail_mailer.main, nightmail_runner.main, nightmail_ticker.main
print(*(name for name, module in sys.modules.items() if module is not None))
"""
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    modules = set(printed.split())
    assert {"structlog", "httpx", "uvloop"} <= modules
    assert not modules & {
        "rich",
        "pygments",
        "mcp",
        "pandas",
        "numpy",
        "pyarrow",
        "matplotlib",
        "psycopg",
        "opentelemetry.sdk",
    }


def test_the_checks_of_the_broker_import_neither_an_http_client_nor_metrics() -> None:
    script = "import sys, nightmail_cli.doctor.doctor, nightmail_cli.doctor.broker_checks; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    modules = set(printed.split())
    assert "nats" in modules
    assert not modules & {"httpx", "prometheus_client", "fastapi", "pandas", "nightmail_ticker.plan"}
