"""What the owner of a script reads when its run exceeds a limit or its process dies: the line, the limit, the way out."""

import signal
from dataclasses import replace

import pytest

from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.exit_status import OomKillCounter, describe_exit
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed
from nightmail_runner.sandbox.task import Limits
from runner.test_sandbox import DATA, TASK


async def failure_of(sandbox: Sandbox, script: str, limits: Limits) -> Failed:
    task = replace(TASK, script=script, limits=limits)
    with MemoryFile.of(DATA) as source, MemoryFile("csv") as csv:
        result = await sandbox.run(task, source, csv)
    assert isinstance(result, Failed), result
    return result


async def test_a_run_without_memory_has_its_line_its_limit_and_the_setting(sandbox: Sandbox) -> None:
    script = "def fill(size):\n    return np.ones(size)\nrows = 10**9\nreturn pd.DataFrame({'a': fill(rows)})"
    failed = await failure_of(sandbox, script, Limits(memory_bytes=512 * 1024**2))
    assert (failed.kind, failed.line) == ("out_of_memory", 2)
    assert failed.message == (
        "the run needed more memory than its limit of 512 MiB (Unable to allocate 7.45 GiB for an array with shape"
        " (1000000000,) and data type float64); the runner's setting NIGHTMAIL_SCRIPT_MEMORY can allow more"
    )


@pytest.mark.parametrize(
    ("most", "says"),
    [
        (
            300,
            "the run took longer than 1 s; the job's timeout_seconds can allow up to 300 s (the runner's setting NIGHTMAIL_SCRIPT_TIMEOUT)",
        ),
        (1, "the run took longer than 1 s, the most that the runner's setting NIGHTMAIL_SCRIPT_TIMEOUT allows"),
    ],
)
async def test_a_run_that_takes_too_long_has_the_field_or_setting_that_allows_more(
    sandbox: Sandbox, most: int, says: str
) -> None:
    failed = await failure_of(sandbox, "while True: pass", Limits(timeout_seconds=1, max_timeout_seconds=most))
    assert failed.kind == "timeout"
    assert failed.message.startswith(says)


@pytest.mark.parametrize(
    ("code", "log", "says"),
    [
        (0, "", "exited with status 0 before it returned a result; a script ends with `return` and a DataFrame"),
        (-signal.SIGSEGV, "", "a library that the script calls may have crashed"),
        (-signal.SIGABRT, "std::bad_alloc", "its limit of 1024 MiB; the runner's setting NIGHTMAIL_SCRIPT_MEMORY"),
    ],
)
def test_a_process_that_dies_has_a_way_out(code: int, log: str, says: str) -> None:
    assert says in describe_exit(code, log, Limits(), OomKillCounter()).message
