"""The paths of the files that jobs read, in the bucket `FILES` and below DATA_DIR/files."""

#: In UTF-8. The name is part of a NATS subject, in base64.
MAX_STORED_PATH_BYTES = 512


def check_stored_path(path: str) -> str:
    """Return a path below the stored files.

    Raises:
        ValueError: it is not one: too long, with an empty part, `.` or `..`, a backslash, or an unprintable character.
    """
    if not 1 <= len(path.encode("utf-8", "surrogatepass")) <= MAX_STORED_PATH_BYTES:
        raise ValueError(f"a path has 1 to {MAX_STORED_PATH_BYTES} bytes")
    if not path.isprintable() or "\\" in path:
        raise ValueError("a path has printable characters, and '/' between its parts")
    if any(part in {"", ".", ".."} for part in path.split("/")):
        raise ValueError("a path has no empty part, no '.' and no '..': sales/2026.csv")
    return path
