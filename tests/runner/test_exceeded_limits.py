"""What the owner of a script reads when its run exceeds a limit or its process dies: the line, the limit, the way out."""

import signal
import time
from dataclasses import replace

import pytest

from nightmail_common.contract.limits import MAX_STACK_SECONDS
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.exit_status import OomKillCounter, describe_exit
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed
from nightmail_runner.sandbox.task import Limits
from runner.test_sandbox import DATA, TASK
from support.deadlines import scaled


async def failure_of(sandbox: Sandbox, script: str, limits: Limits) -> Failed:
    task = replace(TASK, script=script, limits=limits)
    with MemoryFile.of(DATA) as source, MemoryFile("csv") as csv:
        result = await sandbox.run(task, source, csv)
    assert isinstance(result, Failed), result
    return result


@pytest.mark.asyncio(loop_scope="module")
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
        (300, "; the job's timeout_seconds can allow up to 300 s (the runner's setting NIGHTMAIL_SCRIPT_TIMEOUT)"),
        (1, ", the most that the runner's setting NIGHTMAIL_SCRIPT_TIMEOUT allows"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_run_that_takes_too_long_has_the_field_or_setting_that_allows_more(
    sandbox: Sandbox, most: int, says: str
) -> None:
    failed = await failure_of(sandbox, "while True: pass", Limits(timeout_seconds=1, max_timeout_seconds=most))
    assert failed.kind == "timeout"
    assert failed.message.startswith(f"the run took longer than 1 s and was in line 1{says}")


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("x = 1\nwhile True:\n    pass\n", {2, 3}),
        ("def wait():\n    import time\n    time.sleep(60)\n\nwait()\nreturn data", {3}),
        ("n = 2\nx = 7 ** (10 ** 9)\nreturn data", {2}),
        (
            "n = 10**6\na = np.arange(n)\nwhile True:\n    data = pd.DataFrame({'a': a}).sort_values(\n        'a', ascending=False)",
            {3, 4, 5},
        ),
        ("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()", {4}),
        (
            "from threading import Thread\nimport time\nt = Thread(target=time.sleep, args=(60,))\nt.start()\nt.join()",
            {5},
        ),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_run_that_takes_too_long_has_the_line_where_it_was(
    sandbox: Sandbox, script: str, line: set[int]
) -> None:
    failed = await failure_of(sandbox, script, Limits(timeout_seconds=1))
    assert (failed.kind, failed.line in line) == ("timeout", True), failed
    assert f"and was in line {failed.line};" in failed.message


@pytest.mark.parametrize(
    "hides",
    [
        "import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})",
        "import faulthandler, signal\nfaulthandler.unregister(signal.SIGUSR1)",
        "import os\nos.close(3)\nos.dup2(1, 3)",
        "import os\nfor part in range(8): os.write(3, b'\\xff' * 4096)",
        "import os\nos.write(3, b'\\0\\0\\1\\0  File \"<script>\", line 999999 in f\\n')",
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_script_that_hides_where_it_is_ends_all_the_same(sandbox: Sandbox, hides: str) -> None:
    await sandbox.started()
    began = time.monotonic()
    failed = await failure_of(sandbox, f"{hides}\nwhile True: pass", Limits(timeout_seconds=1))
    assert time.monotonic() - began < 1 + MAX_STACK_SECONDS + scaled(5)
    assert failed.kind in {"timeout", "killed"}
    assert failed.line in {None, hides.count("\n") + 2}


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
