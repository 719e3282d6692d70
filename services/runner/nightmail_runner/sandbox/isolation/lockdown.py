"""The isolation layers of a worker, enforced by the kernel: whatever Python code runs, they hold.

The fork server installs these once, after its imports, and its workers inherit them: no new privileges, Landlock (read-only
access to Python, the time zones and fonts, nothing else, no TCP) and a seccomp filter that allows only the system calls listed in
`syscalls` and kills for some. Each worker then drops what only the fork server needs: new processes, signals to others, capabilities.
"""

import ctypes
import errno
import os
import sysconfig
import zoneinfo
from collections.abc import Iterable
from contextlib import suppress

import landlockpy
import seccompy
from seccompy import CmpOp

from nightmail_runner.sandbox.isolation import namespaces, syscalls
from nightmail_runner.sandbox.isolation.empty_root import enter_empty_root
from nightmail_runner.sandbox.isolation.syscalls import OF_A_WORKER, OF_THE_SERVER_ONLY

#: Where systems install fonts (Filesystem Hierarchy Standard), with which charts show characters that matplotlib's own lacks.
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")

#: clone(2)
_CLONE_NEW_ANYTHING = 0x7E020080
#: The mask of an argument of type int or unsigned int: the kernel ignores the upper half of the register.
_ALL_FLAGS = 0xFFFFFFFF
#: capset(2): header (version 3, this process) and data (three empty sets of two words each).
_CAPSET_HEADER = (ctypes.c_uint32 * 2)(0x20080522, 0)
_NO_CAPABILITIES = (ctypes.c_uint32 * 6)()

#: seccomp(2)
_SET_MODE_FILTER = 1
_INSTRUCTION_BYTES = 8

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _FilterProgram(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("instructions", ctypes.c_ushort), ("code", ctypes.c_void_p))


class IsolationUnavailable(Exception):
    """The kernel lacks an isolation layer, or refuses it."""


def check_kernel() -> None:
    """Check that this kernel has the isolation layers.

    Raises:
        IsolationUnavailable: a layer is missing; the message names it and what provides it.
    """
    try:
        landlock = landlockpy.supported()
    except landlockpy.LandlockError as error:  # another errno than ENOSYS: systemd-nspawn's filter answers EPERM
        raise IsolationUnavailable(
            f"Landlock is refused ({error}): the container's filter has to let landlock_* calls through"
        ) from None
    if not landlock:
        raise IsolationUnavailable(
            "this kernel has no Landlock: it needs Linux 5.13 or newer with 'landlock' among its security modules"
            " (CONFIG_LSM or the boot parameter lsm=), and a container runtime that lets landlock_* calls through"
        )
    if not seccompy.supported():
        raise IsolationUnavailable("this kernel, or the container's own filter, does not allow seccomp filters")
    try:
        seccompy.audit_arch()
    except seccompy.UnsupportedError as error:
        raise IsolationUnavailable(f"the sandbox supports x86_64 and aarch64 only: {error}") from None


def optional_layers() -> list[str]:
    """Return the layers that this kernel allows beyond those of `check_kernel`. A child process tries them."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            if namespaces.enter():
                os.write(writing, b"namespaces,")
                if enter_empty_root(_readable_folders()):
                    os.write(writing, b"an empty root,")
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:  # noqa: PTH123 a descriptor
        found = file.read().decode()
    os.waitpid(pid, 0)
    return found.split(",")[:-1]


def lock_down_server() -> None:
    """Install the layers in this process and its future children, irrevocably. Call `check_kernel` before.

    Raises:
        IsolationUnavailable: the kernel refuses a layer.
    """
    folders = _readable_folders()
    try:
        enter_empty_root(folders)
        _restrict_files(folders)
        _server_filter().load()
    except (landlockpy.LandlockError, seccompy.SeccompError, OSError) as error:
        raise IsolationUnavailable(f"the kernel refuses the isolation: {error}") from error


class WorkerFilter:
    """A second seccomp filter, which denies a worker what only the fork server needs.

    The program is compiled once, here, so that a worker installs it with a single system call.

    Args:
        pid: the worker's own process id, the only one that it may send signals to.
    """

    def __init__(self, pid: int) -> None:
        code = _worker_filter(pid).program
        self._code = ctypes.create_string_buffer(code, len(code))
        self._program = _FilterProgram(len(code) // _INSTRUCTION_BYTES, ctypes.addressof(self._code))
        self._arguments = (seccompy.syscall_nr("seccomp"), _SET_MODE_FILTER, 0, ctypes.byref(self._program))

    def install(self) -> None:
        """Drop the capabilities of this process and install the filter, irrevocably.

        Raises:
            IsolationUnavailable: the kernel refuses.
        """
        drop_capabilities()
        if _libc.syscall(*self._arguments) != 0:
            raise IsolationUnavailable(f"the kernel refuses a worker's filter: {os.strerror(ctypes.get_errno())}")


def drop_capabilities() -> None:
    """Drop every capability: inside a user namespace or as root, a process starts with all of them."""
    if _libc.capset(_CAPSET_HEADER, _NO_CAPABILITIES) != 0:
        raise IsolationUnavailable(f"capset: {os.strerror(ctypes.get_errno())}")


def _readable_folders() -> list[str]:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.update(zoneinfo.TZPATH, FONT_FOLDERS)
    return sorted(filter(os.path.isdir, folders))


def _restrict_files(folders: Iterable[str]) -> None:
    scopes = landlockpy.Scope.SIGNAL | landlockpy.Scope.ABSTRACT_UNIX_SOCKET
    with landlockpy.Ruleset(scoped=scopes) as ruleset:
        for folder in folders:
            ruleset.allow_path(folder, landlockpy.AccessFS.READ_FILE | landlockpy.AccessFS.READ_DIR)
        ruleset.restrict()


def _server_filter() -> seccompy.Filter:
    filtered = seccompy.Filter(default=int(seccompy.Action.ERRNO) | errno.EPERM)
    for name in OF_A_WORKER | OF_THE_SERVER_ONLY:
        with suppress(ValueError):  # a call that this architecture lacks
            filtered.allow(seccompy.syscall_nr(name))
    for name in syscalls.KILLED:
        with suppress(ValueError):
            filtered.kill(seccompy.syscall_nr(name))
    # libc falls back to clone, whose flags a filter can read.
    filtered.errno("clone3", errno.ENOSYS)
    filtered.allow("clone", args=[(0, CmpOp.MASKED_EQ, 0, _CLONE_NEW_ANYTHING)])
    for operation in syscalls.FUTEX_OPERATIONS:
        filtered.allow("futex", args=[(1, CmpOp.MASKED_EQ, operation, _ALL_FLAGS & ~syscalls.FUTEX_FLAGS)])
    for name, position, flags in syscalls.FLAGS_OF_SOCKET_CALLS:
        filtered.allow(name, args=[(position, CmpOp.MASKED_EQ, 0, _ALL_FLAGS & ~flags)])
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


def _worker_filter(pid: int) -> seccompy.Filter:
    """Return a filter that denies new processes, descriptors on sockets, and signals to any process but `pid`."""
    filtered = seccompy.Filter(default=seccompy.Action.ALLOW)
    for name in (*OF_THE_SERVER_ONLY, "sendmsg", "unshare", "setns"):
        with suppress(ValueError):
            filtered.errno(seccompy.syscall_nr(name), errno.EPERM)
    for flags in syscalls.THREAD_FLAGS:
        filtered.allow("clone", args={0: flags})
    filtered.errno("clone", errno.EPERM)
    for name in ("kill", "tgkill"):
        filtered.errno(name, errno.EPERM, args=[(0, CmpOp.NE, pid)])
    return filtered
