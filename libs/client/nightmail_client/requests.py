"""Parts of requests: paths, queries and headers."""

from urllib.parse import quote

#: The largest page of a list.
PAGE = 500


def job_path(job_name: str, *more: str) -> str:
    """Return the path of a job, or of what belongs to it."""
    return "/".join(("/jobs", segment(job_name), *more))


def segment(text: str) -> str:
    """Return a segment of a path; httpx would resolve `.` and `..` (RFC 3986, section 5.2.4)."""
    return "%2E" * len(text) if text in {".", ".."} else quote(text, safe="")


def file_path(path: str) -> str:
    """Return the path of an uploaded file."""
    return "/".join(("/files", *map(segment, path.split("/"))))


def without_none(**query: object) -> dict[str, str]:
    """Return a query as texts, without what is None."""
    return {name: str(value) for name, value in query.items() if value is not None}


def if_match(etag: str | None) -> dict[str, str]:
    """Return the header with which the API refuses to overwrite a change after the ETag."""
    return {} if etag is None else {"If-Match": etag}
