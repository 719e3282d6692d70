"""The REST client of the command line: the URL and token of the API, and its errors as one line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from nightmail_cli.output import fail
from nightmail_common.service.settings import ServiceSettings, load_without_broker

#: Longer than the API waits for the runner's answer to a preview.
TIMEOUT_SECONDS = 120.0


class ClientSettings(ServiceSettings):
    """URL and token of the API. Without them: those of the `nightmail up` that has the same settings."""

    host: str = "127.0.0.1"
    port: int = 8080
    url: str | None = None
    token: SecretStr | None = None
    admin_token: SecretStr | None = None


class Client:
    """Calls the API. An error ends the command with one line on stderr."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        settings = load_without_broker(ClientSettings)
        self.url = (settings.url or f"http://{settings.host}:{settings.port}").rstrip("/")
        self._http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {_token(settings)}"}, timeout=timeout_seconds
        )

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Return the response; an error response ends the command with its problem document's text."""
        answer = self.try_call(method, path, **request)
        if answer.is_error:
            fail(problem(answer))
        return answer

    def try_call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Return the response, including an error response; only a failed connection ends the command."""
        try:
            return self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            fail(f"cannot reach the API at {self.url}: {error}. Is `nightmail up` running?")

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


def problem(answer: httpx.Response) -> str:
    """Return the text of a problem document (RFC 9457), with the fields that it names."""
    try:
        document = answer.json()
        fields = [f"{error['field']}: {error['detail']}" for error in document.get("errors", [])]
        return "; ".join(fields) or document.get("detail") or document["title"]
    except (ValueError, KeyError, TypeError):
        return f"the API answered {answer.status_code}: {answer.text[:200]}"


def _token(settings: ClientSettings) -> str:
    for given in (settings.token, settings.admin_token):
        if given is not None:
            return given.get_secret_value()
    kept: Path = settings.data_dir / "admin-token"
    try:
        return kept.read_text().strip()
    except OSError as error:
        fail(f"no token: set NIGHTMAIL_TOKEN, or run where {kept} can be read ({error.strerror})")
