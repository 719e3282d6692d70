"""Gives back the pages of libraries that only the dynamic loader has read: relocations and symbol tables, some 30 MB."""

import ctypes

#: madvise(2)
_DONT_NEED = 4

_libc = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def release_library_pages() -> None:
    """Unmap the pages of files that nobody has written to. A page that is read again is mapped from the page cache.

    A mapping that is read-only and has no page of its own (smaps, proc_pid_smaps(5)) is what its file is.
    """
    with open("/proc/self/smaps", "rb") as smaps:  # noqa: PTH123 pathlib costs its import
        start = end = 0
        for line in smaps:
            field, *values = line.split()
            if not field.endswith(b":"):
                start, end = (int(address, 16) for address in field.split(b"-"))
                if not (values[0] in (b"r--p", b"r-xp") and values[-1].startswith(b"/")):
                    start = end
            elif field == b"Anonymous:" and values[0] == b"0" and start < end:
                _libc.madvise(start, end - start, _DONT_NEED)
