"""A nats-server whose disk was full keeps its write error: the liveness probe in Kubernetes sees it, and a restart ends it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.deadlines import scaled
from support.ports import free_port

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="mounts a small file system: needs root and unshare"
)

#: Runs in a mount namespace: fills the disk, frees it, restarts the server. Prints the probes' answers at each step.
SCRIPT = """
import asyncio, json, subprocess, sys, urllib.error, urllib.request
from pathlib import Path
import nats
from nats.errors import Error

server, folder, port, monitor, *probes = sys.argv[1:]
disk, ballast = Path(folder, "disk"), Path(folder, "disk/ballast")

def start():
    return subprocess.Popen([server, "-c", f"{folder}/nats.conf"], stderr=subprocess.DEVNULL)

def status(path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{monitor}{path}", timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None

async def until_ready():
    while status("/healthz") != 200:
        await asyncio.sleep(0.05)

async def main():
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", disk], check=True)
    ballast.write_bytes(bytes(12 << 20))
    process, answers = start(), {}
    try:
        await until_ready()
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        log = client.jetstream()
        await log.add_stream(name="LOG", subjects=["log.>"])
        answers["fresh"] = [status(path) for path in probes]
        try:
            for _ in range(400):
                await log.publish("log.a", bytes(100_000), timeout=2)
        except Error:
            answers["full"] = [status(path) for path in probes]
        ballast.unlink()
        answers["freed"] = [status(path) for path in probes]
        await client.close()
        process.terminate()
        process.wait()
        process = start()
        await until_ready()
        answers["restarted"] = [status(path) for path in probes]
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        await client.jetstream().publish("log.a", b"", timeout=5)
        await client.close()
    finally:
        process.terminate()
        process.wait()
    print(json.dumps(answers))

asyncio.run(asyncio.wait_for(main(), 60))
"""


def test_the_liveness_probe_sees_a_write_error_that_outlives_the_full_disk(tmp_path: Path) -> None:
    port, monitor = free_port(), free_port()
    (tmp_path / "nats.conf").write_text(
        f'listen: "127.0.0.1:{port}"\nhttp: "127.0.0.1:{monitor}"\n'
        f'jetstream {{ store_dir: "{tmp_path}/disk/store", max_file_store: 1GB, sync_interval: always }}\n'
    )
    probes = kubernetes_probes()
    paths = [probes["livenessProbe"], probes["startupProbe"], probes["readinessProbe"]]
    server: list[str | Path] = [BIN / "nats-server", tmp_path, str(port), str(monitor)]
    command = ["unshare", "--mount", sys.executable, "-c", SCRIPT, *server]
    ended = subprocess.run([*command, *paths], capture_output=True, text=True, check=False, timeout=scaled(90))
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {
        "fresh": [200, 200, 200],
        "full": [503, 200, 503],
        "freed": [503, 200, 503],
        "restarted": [200, 200, 200],
    }


def kubernetes_probes() -> dict[str, str]:
    """Return the paths of the broker's probes."""
    manifests = yaml.safe_load_all((ROOT / "deploy/kubernetes/base/nats.yaml").read_text())
    [broker] = [found for found in manifests if found["kind"] == "StatefulSet"]
    server: dict[str, Any] = broker["spec"]["template"]["spec"]["containers"][0]
    return {name: server[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
