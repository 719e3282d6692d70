"""Namespaces of the fork server and of each run, where the kernel allows them (namespaces(7), user_namespaces(7)).

The fork server enters a user namespace with a network that has no interface, an IPC namespace and a process namespace
of its own; each run is the first process of yet another. They are a second wall behind Landlock and seccomp: a machine
that forbids user namespaces (Docker's default profile does) runs without.
"""

import ctypes
import os
import resource
from contextlib import suppress
from pathlib import Path

NEW_PID = 0x20000000
_NEW_USER = 0x10000000
_NEW_NETWORK = 0x40000000
_NEW_IPC = 0x08000000

_libc = ctypes.CDLL(None, use_errno=True)


def enter() -> bool:
    """Put the children of this process, which has one thread, into new namespaces; return whether it may."""
    uid, gid = os.getuid(), os.getgid()
    if _libc.unshare(_NEW_USER | NEW_PID | _NEW_NETWORK | _NEW_IPC) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    return True


def limit_processes(most: int) -> None:
    """Limit how many processes and threads this one and what it forks may be together, as far as the kernel can.

    To be called inside of `enter`'s namespaces, where only they are counted. RLIMIT_NPROC does not bind root; since
    Linux 6.14 a process namespace has a limit of its own.
    """
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    with suppress(OSError):
        Path("/proc/sys/kernel/pid_max").write_text(str(most))


class ProcessNamespaces:
    """Forks processes, each the first of a process namespace of its own."""

    def __init__(self) -> None:
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def fork(self) -> int:
        """As `os.fork`.

        Raises:
            OSError: the kernel has no more namespaces or processes to give.
        """
        _check(_libc.unshare(NEW_PID))
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid != 0:  # the namespace is made for one child; a second one needs to be asked for from here again
                _check(_libc.setns(self._own, NEW_PID))
        return pid


def _check(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
