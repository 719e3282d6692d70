"""Runs in a virtual machine as root: uses Nightmail under systemd, and prints what it finds as JSON.

The interpreter is that of the installation, which has no pytest; test_virtual_machine.py judges the findings.
"""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

DATA = Path("/var/lib/nightmail")
GROUP = Path("/sys/fs/cgroup/system.slice/nightmail.service")
NIGHTMAIL, PYTHON = "/opt/nightmail/bin/nightmail", "/opt/nightmail/bin/python"
ENDED = {"delivered", "failed", "skipped"}
#: A start beside other load takes ten minutes.
SECONDS = 1800

#: Thousands of threads, with stacks so small that the limit of addresses does not count.
THREADS = """
import time
threading = __import__("threading")
threading.stack_size(65536)
started = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        started += 1
except RuntimeError:
    raise ValueError(started)
"""

#: A run in a sandbox of its own, whose group has less memory than the run's limit of addresses.
OUT_OF_MEMORY = """
import asyncio
from datetime import UTC, datetime
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox import run_groups
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.task import Task

async def main():
    task = Task("filled = np.ones(100_000_000)\\nreturn data", ReadOptions("csv"), "trial", datetime.now(UTC))
    run_groups.OVERHEAD_BYTES = 256 * 1024**2 - task.limits.memory_bytes - task.limits.output_bytes
    groups = run_groups.RunGroups.of_this_process()
    async with Sandbox(groups=groups) as sandbox:
        with MemoryFile.of(b"a\\n1\\n") as source, MemoryFile("csv") as csv:
            result = await sandbox.run(task, source, csv)
    print(result.kind)

asyncio.run(main())
"""


def command(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=SECONDS).stdout.strip()


def call(method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {(DATA / 'admin-token').read_text().strip()}"}
    answer = httpx.request(method, f"http://127.0.0.1:8080{path}", headers=headers, json=body, timeout=SECONDS)
    assert answer.is_success, answer.text
    return answer.json()


def run(job: str, script: str) -> str:
    """Request a run of a new job; return its id."""
    source = {"source_type": "file", "location": "sales.csv", "file_type": "csv"}
    body = {"job_name": job, "schedule_time": "0 9 * * 1-5", "data_source": source, "processing_script": script}
    call("POST", "/jobs/create", body | {"consumer_emails": ["reports@example.com"]})
    run_id: str = call("POST", f"/jobs/{job}/run")["run_id"]
    return run_id


def outcome(run_id: str) -> dict[str, Any]:
    """Return the run once it has ended."""
    deadline = time.monotonic() + SECONDS
    while (found := call("GET", f"/runs/{run_id}"))["status"] not in ENDED and time.monotonic() < deadline:
        time.sleep(0.5)  # the poll interval
    return {"status": found["status"], "error": found.get("error")}


def groups() -> dict[str, dict[str, str]]:
    """Return what the kernel says of each group of a run."""
    names = ("memory.max", "memory.oom.group", "pids.max", "cgroup.procs")
    return {
        str(path.relative_to(GROUP)): {name: (path / name).read_text().strip() for name in names}
        for path in (GROUP / "runs").glob("*/*/")
    }


def main() -> None:
    command("systemctl", "start", "nightmail")
    deadline = time.monotonic() + SECONDS
    while command("systemctl", "show", "nightmail", "-p", "StatusText", "--value") != "ready":
        assert time.monotonic() < deadline, command("journalctl", "-u", "nightmail", "-o", "cat", "--no-pager")
        time.sleep(0.5)  # the poll interval
    (DATA / "files").mkdir(exist_ok=True)
    (DATA / "files" / "sales.csv").write_text("region,amount\nNorth,1\n")
    sleeping = run("sleeping", "import time\ntime.sleep(20)\nreturn data")
    deadline = time.monotonic() + SECONDS
    while all(found["memory.max"] == "max" for found in groups().values()) and time.monotonic() < deadline:
        time.sleep(0.5)  # the poll interval
    during = groups()
    found = {
        "kernel": command("uname", "-r"),
        "during": during,
        "cpu": {name: (GROUP / name / "cpu.weight").read_text().strip() for name in ("services", "runs")},
        "sleeping": outcome(sleeping),
        "threads": outcome(run("threads", THREADS)),
        "after": outcome(run("after", "return data")),
        "doctor": json.loads(command("env", f"NIGHTMAIL_DATA_DIR={DATA}", NIGHTMAIL, "doctor", "--json"))["checks"],
        "out of memory": command(
            "systemd-run", "--wait", "--pipe", "--quiet", "-p", "Delegate=yes", PYTHON, "-c", OUT_OF_MEMORY
        ),
    }
    command("systemctl", "stop", "nightmail")
    found["stopped"] = command("systemctl", "show", "nightmail", "-p", "Result", "--value")
    found["group is gone"] = not GROUP.exists()
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
