"""The walls: what the kernel keeps a run from, whatever Python lets it do.

The fork server locks itself down once, after its imports, and its children inherit it: no new privileges, Landlock
(read-only Python and time zones, nothing else, no TCP) and a seccomp filter that lets through only what is on the list
of `syscalls`. Each child then gives up what only the fork server needs: new processes, signals to others, capabilities.
"""

import ctypes
import errno
import os
import sysconfig
import zoneinfo
from contextlib import suppress

import landlockpy
import seccompy
from seccompy import CmpOp

from nightmail_runner.sandbox.isolation import namespaces, syscalls
from nightmail_runner.sandbox.isolation.syscalls import OF_A_RUN, OF_THE_SERVER_ONLY

#: clone(2)
_CLONE_THREAD = 0x00010000
_CLONE_NEW_ANYTHING = 0x7E020080
#: capset(2), version 3: whose, and the three sets of two words each.
_OF_THIS_PROCESS = (ctypes.c_uint32 * 2)(0x20080522, 0)
_NO_CAPABILITIES = (ctypes.c_uint32 * 6)()

#: seccomp(2)
_SET_MODE_FILTER = 1
_INSTRUCTION_BYTES = 8

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _FilterProgram(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("instructions", ctypes.c_ushort), ("code", ctypes.c_void_p))


class CannotLockDown(Exception):
    """The kernel does not have what the sandbox is made of."""


def check_kernel() -> None:
    """Look whether this kernel can hold scripts.

    Raises:
        CannotLockDown: no; the message says what is missing and what can be done.
    """
    if not landlockpy.supported():
        raise CannotLockDown(
            "this kernel has no Landlock: it needs Linux 5.13 or newer with 'landlock' among its security modules"
            " (CONFIG_LSM or the boot parameter lsm=), and a container runtime that lets landlock_* calls through"
        )
    if not seccompy.supported():
        raise CannotLockDown("this kernel, or the container's own filter, does not let seccomp filters be installed")
    try:
        seccompy.audit_arch()
    except seccompy.UnsupportedError as error:
        raise CannotLockDown(f"the sandbox knows the system calls of x86_64 and aarch64 only: {error}") from None


def lock_down_server() -> None:
    """Lock this process and its future children down, for good. Call `check_kernel` before.

    Raises:
        CannotLockDown: the kernel refuses.
    """
    try:
        _restrict_files()
        _server_filter().load()
    except (landlockpy.LandlockError, seccompy.SeccompError, OSError) as error:
        raise CannotLockDown(f"the kernel refuses the lock-down: {error}") from error


class RunFilter:
    """What takes from a run, a fork of the fork server, what only the fork server needs.

    Everything is laid out when it is made, once, so that a run has a single system call to do.

    Args:
        pid: the process that the run may send signals to: itself.
    """

    def __init__(self, pid: int) -> None:
        code = _run_filter(pid).program
        self._code = ctypes.create_string_buffer(code, len(code))
        self._program = _FilterProgram(len(code) // _INSTRUCTION_BYTES, ctypes.addressof(self._code))
        self._arguments = (seccompy.syscall_nr("seccomp"), _SET_MODE_FILTER, 0, ctypes.byref(self._program))

    def lock_down(self) -> None:
        """Lock this process down, for good.

        Raises:
            CannotLockDown: the kernel refuses.
        """
        drop_capabilities()
        if _libc.syscall(*self._arguments) != 0:
            raise CannotLockDown(f"the kernel refuses the filter of a run: {os.strerror(ctypes.get_errno())}")


def drop_capabilities() -> None:
    """Give up every capability: inside a user namespace or as root, a process begins with all of them."""
    if _libc.capset(_OF_THIS_PROCESS, _NO_CAPABILITIES) != 0:
        raise CannotLockDown(f"capset: {os.strerror(ctypes.get_errno())}")


def _restrict_files() -> None:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.update(zoneinfo.TZPATH)
    scopes = landlockpy.Scope.SIGNAL | landlockpy.Scope.ABSTRACT_UNIX_SOCKET
    with landlockpy.Ruleset(scoped=scopes) as ruleset:
        for folder in filter(os.path.isdir, folders):
            ruleset.allow_path(folder, landlockpy.AccessFS.READ_FILE | landlockpy.AccessFS.READ_DIR)
        ruleset.restrict()


def _server_filter() -> seccompy.Filter:
    filtered = seccompy.Filter(default=int(seccompy.Action.ERRNO) | errno.EPERM)
    for name in OF_A_RUN | OF_THE_SERVER_ONLY:
        with suppress(ValueError):  # this architecture does not have it
            filtered.allow(seccompy.syscall_nr(name))
    # libc falls back to clone, whose flags a filter can see.
    filtered.errno("clone3", errno.ENOSYS)
    filtered.allow("clone", args=[(0, CmpOp.MASKED_EQ, 0, _CLONE_NEW_ANYTHING)])
    for name, position, values in (
        ("fcntl", 1, syscalls.FCNTL_COMMANDS),
        ("ioctl", 1, syscalls.IOCTL_REQUESTS),
        ("prctl", 0, syscalls.PRCTL_OPTIONS),
        ("prctl", 0, (syscalls.PR_SET_NO_NEW_PRIVS,)),
        ("unshare", 0, (namespaces.NEW_PID,)),
        ("setns", 1, (namespaces.NEW_PID,)),
        ("prlimit64", 0, (0,)),
    ):
        for value in values:
            filtered.allow(name, args={position: value})
    return filtered


def _run_filter(pid: int) -> seccompy.Filter:
    """Return a filter that lets no new processes begin, and no signals go to any process but `pid`."""
    filtered = seccompy.Filter(default=seccompy.Action.ALLOW)
    for name in (*OF_THE_SERVER_ONLY, "unshare", "setns"):
        with suppress(ValueError):
            filtered.errno(seccompy.syscall_nr(name), errno.EPERM)
    filtered.allow("clone", args=[(0, CmpOp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)])
    filtered.errno("clone", errno.EPERM)
    for name in ("kill", "tgkill"):
        filtered.errno(name, errno.EPERM, args=[(0, CmpOp.NE, pid)])
    return filtered
