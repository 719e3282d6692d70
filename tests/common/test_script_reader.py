"""Reading scripts, also such as are slow to parse or to compile, without holding the event loop."""

import asyncio
from collections.abc import Callable

import pytest

from nightmail_common.contract.limits import MAX_SCRIPT_BYTES
from nightmail_common.contract.script import DEFAULT_IMPORTS
from nightmail_common.service.script_reader import ScriptReader, ScriptTooCostly
from support.deadlines import scaled
from support.event_loop import measured_stalls

#: CPU time of the loop's thread. Parsing 128 KiB of statements takes 0.3 s.
MAX_STALL_SECONDS = scaled(0.1)
LONG = "x = 1\n" * 20_000
assert len(LONG.encode()) <= MAX_SCRIPT_BYTES


def long(text: str) -> str:
    return "#" * 3000 + "\n" + text


@pytest.fixture
def reader() -> ScriptReader:
    return ScriptReader(DEFAULT_IMPORTS)


async def test_a_long_script_is_read_while_the_loop_goes_on(reader: ScriptReader) -> None:
    async with measured_stalls() as stalls:
        facts = await reader.read(LONG + "data.plot()\nreturn previous", "owner")
    assert (facts.problem, facts.reads_previous, facts.draws_charts) == (None, True, True)
    assert stalls.longest_cpu_seconds < MAX_STALL_SECONDS


@pytest.mark.parametrize("pad", [str, long], ids=["short", "long"])
async def test_a_short_and_a_long_script_have_the_same_facts(reader: ScriptReader, pad: Callable[[str], str]) -> None:
    lines = pad("").count("\n")
    plain = await reader.read(pad("return data"), "owner")
    refused = await reader.read(pad("x = 1\nimport socket.x"), "owner")
    invalid = await reader.read(pad("return ("), "owner")
    assert (plain.problem, plain.reads_previous, plain.draws_charts) == (None, False, False)
    assert refused.problem is not None
    assert (refused.problem.package, refused.problem.line) == ("socket", lines + 2)
    assert invalid.problem is not None
    assert (invalid.problem.package, invalid.problem.line) == (None, lines + 1)


async def test_a_script_that_takes_too_long_to_compile_is_given_up(reader: ScriptReader) -> None:
    levels = 18  # the code doubles with each: 2 s
    lines = [f"{' ' * level}{line}" for level in range(levels) for line in ("try:", " a()", "finally:")]
    slow = "\n".join(["def process(data):", *(f" {line}" for line in lines), " " * (levels + 1) + "b()"] * 8)
    async with asyncio.timeout(scaled(30)), measured_stalls() as stalls:
        with pytest.raises(ScriptTooCostly, match="more than 5 seconds"):
            await reader.read(slow, "owner")
    assert stalls.longest_cpu_seconds < MAX_STALL_SECONDS


async def test_a_script_is_read_once(reader: ScriptReader, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await reader.read(LONG, "owner")
    monkeypatch.setattr("sys.executable", "/no/such/program")
    assert await reader.read(LONG, "owner") == first
    with pytest.raises(FileNotFoundError):
        await reader.read(LONG + "#", "owner")
