"""The REST client of the command line: the URL and token of the API, and its errors as one line."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nightmail_cli import location
from nightmail_cli.output import fail

if TYPE_CHECKING:  # it takes long to import, and `--help` needs no client
    import httpx

#: Longer than the API waits for the runner's answer to a preview.
TIMEOUT_SECONDS = 120.0


#: The length of a whole id, such as 01a2146e-756b-7371-831f-e62bc6de4f5b.
_RUN_ID_CHARS = 36


class Client:
    """Calls the API. An error ends the command with one line on stderr."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        import httpx

        api = location.api()
        self.url = api.url
        self._http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {api.token}"}, timeout=timeout_seconds
        )

    def call(self, method: str, path: str, **request: Any) -> "httpx.Response":
        """Return the response; an error response ends the command with its problem document's text."""
        answer = self.try_call(method, path, **request)
        if answer.is_error:
            fail(problem(answer))
        return answer

    def try_call(self, method: str, path: str, **request: Any) -> "httpx.Response":
        """Return the response, including an error response; only a failed connection ends the command."""
        import httpx

        try:
            return self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            fail(f"cannot reach the API at {self.url}: {error}. Is `nightmail up` running?")

    def stream(
        self, path: str, query: dict[str, str], headers: dict[str, str], silence_seconds: float
    ) -> "AbstractContextManager[httpx.Response]":
        """Open a response that is read while it arrives; a silence longer than this ends it."""
        return self._http.stream("GET", path, params=query, headers=headers, timeout=silence_seconds)

    def run_id(self, prefix: str) -> str:
        """Return the id of the one run whose id begins so; none or several end the command."""
        if len(prefix) == _RUN_ID_CHARS:
            return prefix
        found = self.call("GET", "/runs", params={"id_prefix": prefix, "limit": "3"}).json()["items"]
        if not found:
            fail(f"there is no run whose id begins with {prefix}; nightmail runs list shows the runs")
        if len(found) > 1:
            ids = ", ".join(run["run_id"] for run in found)
            fail(f"several runs have an id that begins with {prefix}: {ids}; give more of it")
        run_id: str = found[0]["run_id"]
        return run_id

    def pages(self, path: str, limit: int, **query: str | None) -> Iterator[dict[str, Any]]:
        """Yield at most `limit` items of a paginated list."""
        cursor: str | None = None
        remaining = limit
        while remaining > 0:
            given = {name: value for name, value in (query | {"cursor": cursor}).items() if value is not None}
            page = self.call("GET", path, params=given | {"limit": str(min(remaining, 100))}).json()
            yield from page["items"]
            remaining -= len(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return


def job_path(job_name: str, *more: str) -> str:
    return "/".join(("/jobs", quote(job_name, safe=""), *more))


def problem(answer: "httpx.Response") -> str:
    """Return the text of a problem document (RFC 9457), with the fields that it names."""
    try:
        document = answer.json()
        fields = [f"{error['field']}: {error['detail']}" for error in document.get("errors", [])]
        return "; ".join(fields) or document.get("detail") or document["title"]
    except (ValueError, KeyError, TypeError):
        return f"the API answered {answer.status_code}: {answer.text[:200]}"
