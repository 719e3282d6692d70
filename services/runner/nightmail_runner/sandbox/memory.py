"""Anonymous files in memory (memfd_create(2)): data goes to and from a worker without a copy and without a disk."""

import fcntl
import hashlib
import io
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

_READ_ONLY = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class MemoryFile:
    """A memfd that this object owns: `close`, or the end of its `with` block, closes it."""

    def __init__(self, name: str) -> None:
        self.descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)

    @classmethod
    def of(cls, data: bytes, name: str = "data") -> Self:
        """Return a sealed file that holds data."""
        file = cls(name)
        file.write(data)
        file.seal()
        return file

    @property
    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    def write(self, data: bytes) -> None:
        """Append data."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def clear(self) -> None:
        """Truncate the file, which must not be sealed."""
        os.ftruncate(self.descriptor, 0)
        os.lseek(self.descriptor, 0, os.SEEK_SET)

    def seal(self) -> None:
        """Make the file read-only for every process, irrevocably (F_ADD_SEALS).

        Raises:
            OSError: EBUSY: a process has a writable mapping of it.
        """
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _READ_ONLY)

    @contextmanager
    def view(self) -> Iterator[memoryview]:
        """Map the bytes without a copy; the view is valid inside the `with` block only."""
        if not self.size:
            yield memoryview(b"")
            return
        with mmap.mmap(self.descriptor, 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            yield view

    @contextmanager
    def reader(self) -> Iterator[io.BufferedReader]:
        """Open the file for reading, from its beginning."""
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        with open(self.descriptor, "rb", closefd=False) as reader:
            yield reader

    def read(self) -> bytes:
        with self.view() as view:
            return bytes(view)

    def sha256(self) -> str:
        with self.view() as view:
            return hashlib.sha256(view).hexdigest()

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
