"""The Python client has a call for every route of the API."""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from nightmail_api.http.application import build_application
from nightmail_client import Nightmail
from nightmail_client.requests import file_path, job_path

RUN_ID = "01a2146e-756b-7371-831f-e62bc6de4f5b"
#: The routes of browsers, of the links in mails, and those without a token.
NOT_FOR_CLIENTS = re.compile(r"/session$|/shared/|/unsubscribe/|/health/|/metrics$")
#: A value for each parameter that a call requires.
GIVEN: dict[str, Any] = {
    "job_name": "daily sales",
    "job": {"job_name": "daily sales"},
    "run_id": RUN_ID,
    "other_run_id": RUN_ID,
    "prefix": RUN_ID,
    "version": 2,
    "number": 1,
    "path": "sales/2026.csv",
    "content": b"a\n1\n",
    "recipient": "ann@example.com",
    "name": "visitor",
    "role": "viewer",
    "since": "2026-11-25T00:00:00Z",
    "until": "2026-11-26T00:00:00Z",
    "schedule_time": "@daily",
}
EVENT = {"seq": 1, "type": "run-started"}
ANSWER: dict[str, Any] = {"items": [{**EVENT}], "next_cursor": None, "next_before": None, "steps": [], "rows": []} | {
    "run_id": RUN_ID,
    "request_id": RUN_ID,
    "status": "delivered",
}


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    """The method and path of each request of the client."""
    return []


@pytest.fixture
def client(asked: list[tuple[str, str]]) -> Nightmail:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        if request.url.path == "/events/stream":
            return httpx.Response(200, text=f"data: {json.dumps(EVENT)}\n\n")
        if request.url.path == "/events" and request.url.params.get("after") == "1":
            return httpx.Response(200, json={"items": []})
        return httpx.Response(200, json=ANSWER, headers={"ETag": '"7"'})

    client = Nightmail("http://nightmail", "token")
    client._transport._http = httpx.Client(base_url=client.url, transport=httpx.MockTransport(answer))
    return client


def calls(client: Nightmail) -> Iterator[Callable[..., Any]]:
    """Yield every public call, except those that send any request."""
    for owner in (client, *(value for name, value in vars(client).items() if name[0] != "_" and name != "url")):
        for name, call in inspect.getmembers(owner, inspect.ismethod):
            if name[0] != "_" and name not in {"send", "try_send", "pages", "close"}:
                yield call


def test_every_route_for_clients_has_a_call(client: Nightmail, asked: list[tuple[str, str]]) -> None:
    for call in calls(client):
        required = [one for one in inspect.signature(call).parameters.values() if one.default is one.empty]
        found = call(**{one.name: GIVEN[one.name] for one in required})
        if inspect.isgenerator(found):
            next(found, None)
            found.close()
    client.runs.list(job_name="daily sales").__next__()
    routes = {
        (method.upper(), path): re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path.replace("{path}", ".+")))
        for path, methods in build_application(None).openapi()["paths"].items()  # type: ignore[arg-type]
        for method in methods
        if not NOT_FOR_CLIENTS.search(path)
    }
    missing = {
        (method, path)
        for (method, path), pattern in routes.items()
        if not any(method == one and pattern.fullmatch(at) for one, at in asked)
    }
    assert missing == {("POST", "/jobs")}  # another name of POST /jobs/create
    unknown = [at for at in asked if not any(at[0] == one and p.fullmatch(at[1]) for (one, _), p in routes.items())]
    assert unknown == []


def test_a_name_of_dots_leads_to_no_other_path() -> None:
    for path in (job_path(".."), job_path(".", "run"), file_path("../jobs/daily sales"), file_path("a/./b")):
        assert httpx.URL(f"http://nightmail{path}").raw_path == path.encode()
    assert file_path("sales/2026 café.csv") == "/files/sales/2026%20caf%C3%A9.csv"
