"""Namespaces of the fork server and of each worker, where the kernel allows them (namespaces(7), user_namespaces(7)).

The fork server enters a user namespace, a network namespace without an interface, an IPC namespace, a process namespace and
a mount namespace (`empty_root`); each worker is the first process of its own process namespace. They are an extra layer behind
Landlock and seccomp: a machine that forbids user namespaces (Docker's default profile does) runs without them.
"""

import ctypes
import os
import resource
from contextlib import suppress
from pathlib import Path

NEW_PID = 0x20000000
_NEW_MOUNT = 0x00020000
_NEW_USER = 0x10000000
_NEW_NETWORK = 0x40000000
_NEW_IPC = 0x08000000

_libc = ctypes.CDLL(None, use_errno=True)


def enter() -> bool:
    """Enter new namespaces; return whether the kernel allows it. The process must have a single thread.

    Only the children of this process are inside the new process namespace.
    """
    uid, gid = os.getuid(), os.getgid()
    wanted = _NEW_USER | NEW_PID | _NEW_NETWORK | _NEW_IPC
    # Without the mount namespace where a filter refuses that one only.
    if _libc.unshare(wanted | _NEW_MOUNT) != 0 and _libc.unshare(wanted) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    return True


def limit_processes(most: int) -> None:
    """Limit the processes and threads of this namespace, as far as the kernel can.

    Call it inside `enter`'s namespaces, so that no other process counts. RLIMIT_NPROC does not bind root; since
    Linux 6.14 each process namespace has its own `pid_max`.
    """
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    with suppress(OSError):
        Path("/proc/sys/kernel/pid_max").write_text(str(most))


class ProcessNamespaces:
    """Forks processes, each as the first one of a new process namespace."""

    def __init__(self) -> None:
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def fork(self) -> int:
        """As `os.fork`.

        Raises:
            OSError: the limit of namespaces or processes is reached.
        """
        _check(_libc.unshare(NEW_PID))
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid != 0:  # back to our own namespace, from which the next one is created
                _check(_libc.setns(self._own, NEW_PID))
        return pid


def _check(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
