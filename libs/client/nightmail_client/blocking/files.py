"""The files that jobs read: list, upload, download and delete them."""

from collections.abc import Iterator

from nightmail_client.blocking.transport import Calls
from nightmail_client.records import FileRecord
from nightmail_client.requests import file_path, if_match


class FileCalls(Calls):
    """The calls about files. A file's `path` is the `location` of a source of the type `file`."""

    def list(self, path: str | None = None) -> list[FileRecord]:
        """Return the uploaded files, by path; with `path` only that one, and the jobs that may read it in `read_by`."""
        query = None if path is None else {"path": path}
        return (self._transport.json(dict[str, list[FileRecord]], "GET", "/files", params=query))["items"]

    def put(
        self, path: str, content: bytes | Iterator[bytes], *, size: int | None = None, sha256: str | None = None
    ) -> FileRecord:
        """Store a file, or replace one. A run reads the old file or the new one, never a part.

        Args:
            size: the number of bytes of an iterator, if it is known: a file that is too large is then refused at once.
            sha256: of the file that is replaced; another one is not.

        Raises:
            JobChanged: the file has another SHA-256 by now.
        """
        headers = {"Content-Type": "application/octet-stream", **if_match(None if sha256 is None else f'"{sha256}"')}
        if size is not None:
            headers["Content-Length"] = str(size)
        return self._transport.json(FileRecord, "PUT", file_path(path), content=content, headers=headers)

    def get(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            NotThere: there is no such file.
        """
        return (self._transport.send("GET", file_path(path))).content

    def delete(self, path: str, *, force: bool = False, sha256: str | None = None) -> None:
        """Delete a file; one that a job names only with `force`.

        Raises:
            JobChanged: the file has another SHA-256 by now.
        """
        query = {"force": "true"} if force else None
        headers = if_match(None if sha256 is None else f'"{sha256}"')
        self._transport.send("DELETE", file_path(path), params=query, headers=headers)
