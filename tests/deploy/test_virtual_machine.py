"""The unit in a virtual machine with Debian's own kernel: the control group of each run, as systemd hands it over.

The machine that runs the tests may have version 1 of control groups, or none that it may divide. QEMU emulates the processor, as
/dev/kvm may be missing. It needs root, qemu-system-x86, mmdebstrap and Debian's package source; `make test-deploy` runs it.
"""

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nightmail_runner.sandbox.run_groups import MAX_THREADS, OVERHEAD_BYTES
from nightmail_runner.sandbox.task import Limits
from support.deadlines import scaled
from support.installation import install_nightmail

ROOT = Path(__file__).parents[2]
QEMU = "qemu-system-x86_64"
PACKAGES = "systemd,systemd-sysv,dbus,python3,ca-certificates,linux-image-amd64,initramfs-tools"
#: The root directory is a folder of this machine (9p), for which the kernel needs modules from the start, and no others.
MODULES = """
cd "$1"; mkdir -p usr/share/initramfs-tools/modules.d etc/initramfs-tools/conf.d
printf '9p\\n9pnet_virtio\\nvirtio_pci\\n' >usr/share/initramfs-tools/modules.d/root
echo MODULES=list >etc/initramfs-tools/conf.d/root
"""
KERNEL_OPTIONS = (
    "root=host rootfstype=9p rootflags=trans=virtio,version=9p2000.L,msize=512000,cache=loose rw"
    " console=ttyS0 quiet panic=-1 mitigations=off lsm=landlock,lockdown,yama,integrity,bpf"
)
#: A start takes some 15 times as long as on the machine that emulates.
SLOW = "[Service]\nTimeoutStartSec=1800\nWatchdogSec=1800\n"
#: SQLite's write-ahead log needs shared memory, which files over 9p do not have.
MOUNTS = "tmpfs /var/lib/private tmpfs mode=0700 0 0\n"
TRIAL = """
[Unit]
After=basic.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/opt/nightmail/bin/python /srv/trial.py
StandardOutput=file:/srv/found.json
StandardError=file:/srv/errors.txt
"""
#: Three to five minutes on an idle machine, 15 beside the other deployments on a slow one.
MACHINE_SECONDS = 2000

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(scaled(MACHINE_SECONDS + 800)),
    pytest.mark.skipif(os.geteuid() != 0, reason="mmdebstrap and the machine's files need root"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the emulated processor is an x86_64"),
    *(
        pytest.mark.skipif(shutil.which(program) is None, reason=f"no {program} (package {package})")
        for program, package in ((QEMU, "qemu-system-x86"), ("mmdebstrap", "mmdebstrap"))
    ),
]


@pytest.fixture(scope="module")
def found(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what `guest/trial.py` finds in the machine."""
    root = tmp_path_factory.mktemp("machine") / "root"
    make_root(root)
    install(root, wheels)
    console = root.with_name("console.log")
    machine = [QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "3G", "-machine", "q35"]
    machine += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none"]
    machine += ["-kernel", str(root / "vmlinuz"), "-initrd", str(root / "initrd.img"), "-append", KERNEL_OPTIONS]
    machine += ["-virtfs", f"local,path={root},mount_tag=host,security_model=passthrough,multidevs=remap"]
    try:
        subprocess.run([*machine, "-serial", f"file:{console}"], timeout=scaled(MACHINE_SECONDS), check=True)
        text = (root / "srv/found.json").read_text()
        assert text, (root / "srv/errors.txt").read_text()
        answer: dict[str, Any] = json.loads(text)
        return answer
    finally:
        shutil.rmtree(root, ignore_errors=True)


def make_root(root: Path) -> None:
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", f"--setup-hook={MODULES}"]
    made = subprocess.run(
        [*command, "bookworm", str(root)], capture_output=True, text=True, timeout=scaled(400), check=False
    )
    if made.returncode != 0:
        pytest.skip(f"mmdebstrap cannot make a machine: {made.stderr.strip()[-200:]}")


def install(root: Path, wheels: Path) -> None:
    """Install Nightmail in the machine's files, and have the trial run at its start."""
    installation = Path(f"/opt/nightmail-machine-{os.getpid()}")
    try:
        install_nightmail(installation, wheels)
        shutil.move(installation, root / "opt")
    finally:
        shutil.rmtree(installation, ignore_errors=True)
    (root / "opt/nightmail").symlink_to(installation)
    units = root / "etc/systemd/system"
    shutil.copy(ROOT / "deploy/systemd/nightmail.service", units)
    (units / "nightmail.service.d").mkdir()
    (units / "nightmail.service.d/slow.conf").write_text(SLOW)
    (units / "trial.service").write_text(TRIAL)
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants/trial.service").symlink_to("../trial.service")
    (root / "etc/fstab").write_text(MOUNTS)
    shutil.copy(ROOT / "tests/deploy/guest/trial.py", root / "srv/trial.py")


def test_the_group_of_a_run_bounds_its_memory_its_threads_and_its_share_of_the_processors(
    found: dict[str, Any],
) -> None:
    groups = list(found["during"].values())
    assert all(group["pids.max"] == str(MAX_THREADS) and group["memory.oom.group"] == "1" for group in groups)
    limits = Limits()
    assert str(limits.memory_bytes + limits.output_bytes + OVERHEAD_BYTES) in {group["memory.max"] for group in groups}
    assert found["cpu"] == {"services": "1000", "runs": "100"}
    assert found["sleeping"]["status"] == "delivered"


def test_a_script_that_starts_threads_without_end_meets_the_limit_and_the_next_run_is_mailed(
    found: dict[str, Any],
) -> None:
    assert found["threads"]["status"] == "failed"
    assert MAX_THREADS - 20 < int(found["threads"]["error"]["message"]) < MAX_THREADS
    assert found["after"]["status"] == "delivered"


def test_a_run_that_exceeds_the_memory_of_its_group_is_killed_and_named(found: dict[str, Any]) -> None:
    assert found["out of memory"].splitlines()[-1] == "out_of_memory"


def test_doctor_says_what_the_groups_bound_and_a_stop_leaves_none(found: dict[str, Any]) -> None:
    [detail] = [check["detail"] for check in found["doctor"] if check["name"] == "control groups"]
    assert detail == "one for each run, which is killed as a whole and bounds memory, pids, cpu"
    assert (found["stopped"], found["group is gone"]) == ("success", True)
