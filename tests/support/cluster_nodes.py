"""Three nats-servers from `deploy/cluster/make.sh`, each in its own network namespace if this machine permits it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from support.deadlines import scaled, wait_until

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
NODES = (1, 2, 3)


def ip(*arguments: str) -> bool:
    """Run `ip`; return False if it fails, or if it is not permitted."""
    if (program := shutil.which("ip")) is None:
        return False
    return subprocess.run([program, *arguments], capture_output=True, check=False).returncode == 0


class Network:
    """A bridge with a namespace per node. A node that is cut off has no connection to any other.

    Without permission for namespaces all nodes are on loopback, and SIGSTOP cuts a node off.
    """

    def __init__(self) -> None:
        number = os.getpid() % 200
        self._names = {node: f"nm{os.getpid()}-{node}" for node in NODES}
        self._bridge = f"nmb{os.getpid()}"
        self.has_namespaces = self._build(f"198.18.{number}")
        net = f"198.18.{number}" if self.has_namespaces else f"127.198.{number}"
        self.hosts = {node: f"{net}.{node}" for node in NODES}

    def _build(self, net: str) -> bool:
        done = ip("link", "add", self._bridge, "type", "bridge")
        done = done and ip("addr", "add", f"{net}.254/24", "dev", self._bridge)
        done = done and ip("link", "set", self._bridge, "up")
        for node, name in self._names.items():
            done = done and ip("netns", "add", name)
            done = done and ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            done = done and ip("link", "set", name, "master", self._bridge, "up")
            done = done and ip("-n", name, "addr", "add", f"{net}.{node}/24", "dev", "eth0")
            done = done and ip("-n", name, "link", "set", "eth0", "up")
            done = done and ip("-n", name, "link", "set", "lo", "up")
        if not done:
            self.remove()
        return done

    def remove(self) -> None:
        for name in self._names.values():
            ip("link", "del", name)
            ip("netns", "del", name)
        ip("link", "del", self._bridge)

    def inside(self, node: int) -> list[str]:
        """Return the prefix of a command that runs in the node's namespace."""
        return ["ip", "netns", "exec", self._names[node]] if self.has_namespaces else []

    def set_link(self, node: int, *, connected: bool) -> None:
        assert ip("link", "set", self._names[node], "up" if connected else "down")


class Cluster:
    """Servers that a test can kill, cut off and restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cluster"
        self.network = Network()
        hosts = list(self.network.hosts.values())
        environment = os.environ | {"NIGHTMAIL": str(BIN / "nightmail"), "STORE": str(folder / "store")}
        subprocess.run([ROOT / "deploy" / "cluster" / "make.sh", self.folder, *hosts], check=True, env=environment)
        self.url = ",".join(f"tls://{host}:4222" for host in hosts)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, node: int) -> None:
        command = [
            *self.network.inside(node),
            str(BIN / "nats-server"),
            "-c",
            str(self.folder / f"nats-{node}/nats.conf"),
        ]
        with self._log(node).open("ab") as log:
            self._processes[node] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, node: int) -> None:
        self._processes[node].kill()
        self._processes[node].wait()

    def terminate(self, node: int) -> None:
        """Stop a server with SIGTERM, as for a planned restart."""
        self._processes[node].terminate()
        self._processes[node].wait(timeout=scaled(20))

    def cut_off(self, node: int) -> None:
        if self.network.has_namespaces:
            self.network.set_link(node, connected=False)
        else:
            self._processes[node].send_signal(signal.SIGSTOP)

    def heal(self, node: int) -> None:
        if self.network.has_namespaces:
            self.network.set_link(node, connected=True)
        else:
            self._processes[node].send_signal(signal.SIGCONT)

    def refusals(self) -> list[str]:
        """Return the permission violations in the logs, except for services that tried to create missing streams."""
        lines = [line for node in NODES for line in self._log(node).read_text().splitlines()]
        return [line for line in lines if "Violation" in line and "$JS.API.STREAM." not in line]

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self.network.remove()

    def _log(self, node: int) -> Path:
        return self.folder / f"nats-{node}.log"

    def seeds_of(self, service: str) -> Path:
        """Return a folder with one service's seed and no other."""
        folder = self.folder / "given" / service
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.folder / "seeds" / f"{service}.nk", folder)
        return folder


class Services:
    """Each service as its own process, with its own seed only, and a mail catcher."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, **settings: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("NIGHTMAIL_")}
        environment |= self._environment | {f"NIGHTMAIL_{key}": value for key, value in settings.items()}
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command], env=environment, stdout=log, stderr=log, cwd=self._folder
            )

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def close(self) -> None:
        for process in self.processes.values():
            process.terminate()
        wait_until(lambda: all(process.poll() is not None for process in self.processes.values()), "services end")
