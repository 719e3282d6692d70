"""A root directory with nothing in it but the folders that scripts may read (pivot_root(2), mount_namespaces(7)).

Landlock denies the content of every other file, but tells whether a path exists, its size and its times. In this root there
is no other file, and no /proc.
"""

import ctypes
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import seccompy

#: mount(2)
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC = 1, 2, 4, 8
_REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
#: umount2(2)
_DETACH = 2
#: The new root is mounted over a directory that every system has and that has none of the folders in it.
_MOUNT_POINT = "/proc"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def enter_empty_root(folders: Collection[str]) -> bool:
    """Replace the root directory of this mount namespace; return whether the kernel allows it.

    Call it in a mount namespace of a user namespace of one's own. If it returns False, all files are where they were.

    Args:
        folders: absolute paths, which stay where they are, read-only.

    Raises:
        OSError: the root is replaced, but the old one cannot be unmounted, or the new one not made read-only.
    """
    try:
        _mount(None, "/", _PRIVATE | _RECURSIVE)
        _mount("tmpfs", _MOUNT_POINT, _NO_SUID | _NO_DEVICES | _NO_EXEC, "tmpfs")
    except OSError:
        return False
    try:
        for folder in sorted(folders):
            _bind_read_only(folder, _MOUNT_POINT + folder)
        os.chdir(_MOUNT_POINT)
        # With the same directory twice, the old root is mounted over the new one, from where it is unmounted.
        _check(_libc.syscall(seccompy.syscall_nr("pivot_root"), b".", b"."))
    except OSError:
        os.chdir("/")
        _libc.umount2(_MOUNT_POINT.encode(), _DETACH)
        return False
    _check(_libc.umount2(b".", _DETACH))
    os.chdir("/")
    _mount(None, "/", _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEVICES | _NO_EXEC)
    return True


def _bind_read_only(folder: str, target: str) -> None:
    with suppress(FileExistsError):  # it lies in a folder before it
        Path(target).mkdir(parents=True)
    _mount(folder, target, _BIND | _RECURSIVE)
    # What the mount forbids already may not be left out.
    kept = os.statvfs(folder).f_flag & (_NO_SUID | _NO_DEVICES | _NO_EXEC)
    _mount(None, target, _REMOUNT | _BIND | _READ_ONLY | kept)


def _mount(source: str | None, target: str, flags: int, kind: str | None = None) -> None:
    encoded = (None if text is None else text.encode() for text in (source, target, kind))
    _check(_libc.mount(*encoded, ctypes.c_ulong(flags), None))


def _check(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
