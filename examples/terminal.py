"""`make terminal`: records what the commands print on terminals of 60, 80 and 120 columns, as docs/terminal.md."""

import fcntl
import os
import pty
import re
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import termios
from contextlib import suppress
from pathlib import Path

NIGHTMAIL = Path(sys.executable).with_name("nightmail")
TARGET = Path(__file__).parents[1] / "docs" / "terminal.md"
ROWS = 40
WIDTHS = (60, 80, 120)
#: Executed once, unrecorded.
BEFORE = (
    "jobs new penguins --to ann@example.com",
    "jobs create -f penguins.yaml",
    "jobs run --wait 'penguins by species'",
    "jobs new totals-by-region --to bob@example.com -o failing.yaml",
)
RECORDED = (
    "jobs preview -f penguins.yaml",
    "jobs list",
    "jobs show 'penguins by species'",
    "runs list",
    "runs show {run}",
    "mails list",
    "jobs create -f penguins.yaml",
    "jobs new",
    "runs --help",
)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def on_a_terminal(folder: Path, width: int, command: str) -> str:
    """Return what a command prints on a terminal of this width, without colour."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, width, 0, 0))
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "NO_COLOR": "1"}
    with os.fdopen(terminal, "rb", buffering=0) as reader:
        process = subprocess.Popen(
            [NIGHTMAIL, *shlex.split(command)], cwd=folder, env=environment, stdout=end, stderr=end
        )
        os.close(end)
        printed = b""
        with suppress(OSError):  # the end of a terminal
            while part := reader.read(65536):
                printed += part
    process.wait()
    return printed.decode().replace("\r\n", "\n")


def record(folder: Path) -> str:
    for command in BEFORE:
        on_a_terminal(folder, WIDTHS[-1], command)
    file = folder / "failing.yaml"
    file.write_text(
        re.sub(r"(?m)^processing_script:.*(\n  .*|\n)*", "processing_script: return data.amuont\n", file.read_text())
    )
    failing = re.search(r"^job_name: (.*)$", file.read_text(), re.MULTILINE)
    assert failing is not None
    on_a_terminal(folder, WIDTHS[-1], "jobs create -f failing.yaml")
    ended = on_a_terminal(folder, WIDTHS[-1], f"jobs run --wait '{failing[1]}'")
    started = re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", ended)
    assert started is not None, ended
    text = "# The command on a terminal\n\nWhat it prints on 60, 80 and 120 columns; `make terminal` records it.\n"
    for width in WIDTHS:
        text += f"\n## {width} columns\n\n```text\n"
        for command in (one.format(run=started[0]) for one in RECORDED):
            text += f"$ nightmail {command}\n{on_a_terminal(folder, width, command)}\n"
        text = text.rstrip("\n") + "\n```\n"
    return text


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        ports = ["--port", str(free_port()), "--nats-port", str(free_port())]
        up = subprocess.Popen(
            [NIGHTMAIL, "up", *ports, "--runners", "1"],
            cwd=name,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert up.stdout is not None
        try:
            for line in up.stdout:
                if "Nightmail is ready" in line:
                    break
            TARGET.write_text(record(Path(name)), encoding="utf-8")
        finally:
            up.terminate()
            up.communicate()


if __name__ == "__main__":
    main()
