"""What a command prints: text of others cannot steer the terminal."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import typer

from nightmail_cli import output
from nightmail_cli.commands.mails import mail_outcome
from nightmail_cli.commands.preview_view import describe
from nightmail_cli.commands.run_view import summary

HOSTILE = "a\x1b]0;title\x07\x1b[31m\x9b31m\x08\r\u202eb\u200bc\x7fd\ud800"
SHOWN = r"a\x1b]0;title\x07\x1b[31m\x9b31m\x08\x0d\u202eb\u200bc\x7fd\ud800"
COMMANDS = Path(output.__file__).parent


def failing(text: str) -> None:
    with pytest.raises(typer.Exit):
        output.fail(text)


@pytest.mark.parametrize(
    "show",
    [
        output.echo,
        failing,
        lambda text: output.print_fields({"error": text, "log": f"one\n{text}\n"}),
        lambda text: output.print_table(["job"], [[text]], empty="none"),
        lambda text: output.print_done(text, {}, as_json=False),
    ],
)
def test_steering_characters_are_shown_as_text(show: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    show(HOSTILE)
    printed = "".join(capsys.readouterr())
    assert SHOWN in printed
    assert not set(printed) & set(HOSTILE) - set(SHOWN)


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """Return what the command prints on a terminal."""
    terminal, end = pty.openpty()
    command = [str(Path(sys.executable).with_name("nightmail")), *arguments]
    with os.fdopen(terminal, "rb", buffering=0) as reader:
        subprocess.run(command, stdout=end, stderr=end, env={"PATH": os.environ["PATH"]} | environment, check=False)
        os.close(end)
        printed = b""
        with suppress(OSError):  # the end of a terminal
            while part := reader.read(65536):
                printed += part
    return printed.decode()


def test_a_terminal_gets_escape_sequences_for_colour_only() -> None:
    assert "\x1b" not in on_a_terminal("jobs", "new", TERM="xterm", NO_COLOR="1")
    assert "writes the job file of one\r\n" in on_a_terminal("jobs", "new", TERM="xterm")
    assert "\x1b[31merror: \x1b[0m" in on_a_terminal("jobs", "new", "nothing", TERM="xterm")


def test_numbers_are_aligned_to_the_right_and_codes_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(
        ("region", "amount", "code"), [("north", "7.5", "007"), ("south", "-12345.5", "7")], empty="none"
    )
    assert capsys.readouterr().out.splitlines() == [
        "region    amount  code",
        "north        7.5  007",
        "south   -12345.5  7",
    ]


def test_columns_that_do_not_fit_a_terminal_are_left_out_before_any_is_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    row = ("01a21a14-87c1", "daily sales", "delivered", "schedule", "2026-11-26 22:58 UTC", "6")
    columns = ("run", "job", "status", "trigger", "due", "rows")
    for width, shown in ((120, columns), (70, ("run", "job", "status", "due", "rows"))):
        monkeypatch.setenv("COLUMNS", str(width))
        output.print_table(columns, [row], empty="none", whole="run", optional=("trigger",))
        heads, cells = re.sub("\x1b[^m]*m", "", capsys.readouterr().out).splitlines()
        assert tuple(heads.split()) == shown
        assert re.split("  +", cells) == [row[columns.index(name)] for name in shown]


def test_json_holds_the_same_text_without_steering_characters(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"name": HOSTILE})
    output.print_json_line({"name": HOSTILE})
    printed = capsys.readouterr().out
    assert not set(printed) & set(HOSTILE) - set(SHOWN)
    pretty, line = printed.rsplit("{", 1)
    assert json.loads(pretty) == json.loads("{" + line) == {"name": HOSTILE}


@pytest.mark.parametrize("text", ["Überblick\u00a0日本 👩\u200d💻", "one\n\ttwo\n", "שלום", "a\u0301"])
def test_text_of_any_script_is_printed_unchanged(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.echo(text, nl=False)
    assert capsys.readouterr().out == text


def test_every_command_prints_through_this_module() -> None:
    folders = ("commands", "doctor", "backup")
    files = [file for folder in folders for file in (COMMANDS / folder).glob("*.py")] + [COMMANDS / "wait.py"]
    assert len(files) > 10
    assert [file.name for file in files if "typer.echo(" in file.read_text()] == []


def test_an_error_without_a_message_has_no_colon_behind_its_type() -> None:
    error = {"stage": "script", "type": "AssertionError", "message": ""}
    assert summary({"status": "failed", "error": error}) == "failed at script: AssertionError"
    assert describe(error) == "script: AssertionError"
    assert describe(error | {"message": "no rows"}) == "script: AssertionError: no rows"


def test_the_outcome_in_one_line_names_who_did_not_get_the_mail() -> None:
    def mails(*outcomes: tuple[str, str]) -> list[dict[str, str]]:
        return [
            {"kind": "result", "address": f"{number}@example.com", "outcome": outcome, "answer": answer}
            for number, (outcome, answer) in enumerate(outcomes)
        ]

    run = {"status": "delivered", "error": None, "skipped": None, "rows": 2, "mails": mails(("accepted", "250 OK"))}
    assert summary(run) == "delivered, 2 rows"
    refused = ("refused", "550 5.1.1 no such user")
    partly = run | {"mails": mails(("accepted", "250 OK"), refused)}
    assert summary(partly) == "delivered, 2 rows; 1@example.com refused: 550 5.1.1 no such user"
    nobody = summary(run | {"status": "undelivered", "mails": mails(*[refused] * 5)})
    assert nobody.startswith("undelivered, 2 rows; 0@example.com refused: 550 ")
    assert nobody.endswith("; and 2 more")


def test_a_mail_waits_until_a_time_that_is_still_to_come() -> None:
    mail = {"outcome": "waiting", "next_attempt": "2126-11-28T09:00:00Z"}
    assert mail_outcome(mail) == "waiting until 2126-11-28 09:00 UTC"
    assert mail_outcome(mail | {"next_attempt": "2026-11-23T09:00:00Z"}) == "waiting"
    assert mail_outcome({"outcome": "accepted", "next_attempt": None}) == "accepted"
