"""Agents over MCP: the SDK's client against `nightmail mcp` and against the API's `/mcp`."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent, TextResourceContents

from e2e.conftest import NIGHTMAIL, DataServer, Nightmail
from nightmail_common.contract.limits import MAX_TOKEN_AGENT_CALLS, MAX_TOKEN_AGENT_SESSIONS
from support.deadlines import scaled
from support.job_requests import job_request

SALES = b"region,amount\nnorth,10\nsouth,5\n"
Answer = Literal["accept", "decline"]


class User:
    """Answers the questions of tools, and keeps them."""

    def __init__(self, answer: Answer = "accept", *, confirm: bool = True) -> None:
        self.questions: list[str] = []
        self._answer = answer
        self._confirm = confirm

    async def __call__(self, _context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        content = {"confirm": self._confirm} if self._answer == "accept" else None
        return ElicitResult(action=self._answer, content=content)


@asynccontextmanager
async def agent(
    nightmail: Nightmail, transport: str, user: User, token: str | None = None, mode: str = "auto"
) -> AsyncIterator[Client]:
    """Connect as an agent host does: start `nightmail mcp`, or call the API's URL with a token."""
    if transport == "stdio":
        environment = nightmail.environment | ({} if token is None else {"NIGHTMAIL_TOKEN": token})
        parameters = StdioServerParameters(command=NIGHTMAIL, args=["mcp"], env=environment)
        async with Client(stdio_client(parameters), elicitation_callback=user, mode=mode) as client:  # type: ignore[arg-type]
            yield client
        return
    headers = {"Authorization": f"Bearer {token or nightmail.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=scaled(60)) as http:
        connection = streamable_http_client(f"{nightmail.url}/mcp", http_client=http)
        async with Client(connection, elicitation_callback=user, mode=mode) as client:  # type: ignore[arg-type]
            yield client


def text(answer: CallToolResult) -> str:
    [content] = answer.content
    assert isinstance(content, TextContent)
    return content.text


async def called(client: Client, tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer
    return (
        answer.structured_content["result"]
        if "result" in (answer.structured_content or {})
        else json.loads(text(answer))
    )


@pytest.fixture
def job(source: DataServer, request: pytest.FixtureRequest) -> dict[str, object]:
    name = re.sub(r"\W+", " ", request.node.name).strip()
    data_source = {"source_type": "api", "location": source.serve("/mcp.csv", SALES), "file_type": "csv"}
    return job_request(job_name=name, data_source=data_source)


@pytest.mark.parametrize(("transport", "mode"), [("stdio", "auto"), ("http", "auto"), ("http", "legacy")])
async def test_an_agent_previews_creates_runs_and_reads_a_job(
    nightmail: Nightmail, job: dict[str, object], transport: str, mode: str
) -> None:
    user = User()
    async with agent(nightmail, transport, user, mode=mode) as client:
        assert (await called(client, "preview_job", job=job))["rows"] == 2
        name = (await called(client, "create_job", job=job))["job_name"]
        run_id = (await called(client, "run_job", job_name=name))["run_id"]
        assert user.questions == [f"Run the job {name!r} now? Its recipients get a mail."]
        nightmail.run_when(run_id, "delivered")
        assert [run["run_id"] for run in await called(client, "list_runs", job_name=name)] == [run_id]
        assert await called(client, "get_result", run_id=run_id) == SALES.decode()
        assert "is delivered" in await called(client, "find_out_why", run_id=run_id)
        compared = await called(client, "compare_runs", run_id=run_id, other_run_id=run_id, key=["region"])
        assert [compared["rows"][kind]["count"] for kind in ("added", "removed", "changed")] == [0, 0, 0]
        [resource] = (await client.read_resource(f"nightmail://runs/{run_id}/result")).contents
        assert isinstance(resource, TextResourceContents)
        assert resource.text == SALES.decode()
        for uri, field, value in (
            (f"nightmail://jobs/{quote(name, safe='')}", "job_name", name),
            (f"nightmail://runs/{run_id}", "run_id", run_id),
        ):
            [resource] = (await client.read_resource(uri)).contents
            assert isinstance(resource, TextResourceContents)
            assert json.loads(resource.text)[field] == value


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize(("answer", "confirm"), [("decline", True), ("accept", False)])
async def test_nothing_is_deleted_that_the_user_does_not_confirm(
    nightmail: Nightmail, job: dict[str, object], transport: str, answer: Answer, *, confirm: bool
) -> None:
    created = nightmail.create(**job)
    user = User(answer, confirm=confirm)
    async with agent(nightmail, transport, user) as client:
        ended = await client.call_tool("delete_job", {"job_name": created["job_name"]})
    assert ended.is_error
    assert user.questions == [f"Delete the job {created['job_name']!r}? Its history stays readable."]
    assert nightmail.call("GET", f"/jobs/{created['job_name']}").status_code == 200


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_every_tool_that_destroys_says_so_and_no_tool_takes_a_target(
    nightmail: Nightmail, transport: str
) -> None:
    async with agent(nightmail, transport, User()) as client:
        tools = (await client.list_tools()).tools
        templates = (await client.list_resource_templates()).resource_templates
    documented = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()
    assert {tool.name for tool in tools} == set(re.findall(r"`([a-z]+_[a-z_]+)`", documented.partition("## Tools")[2]))
    assert {template.uri_template for template in templates} == set(re.findall(r"`(nightmail://[^`]+)`", documented))
    destructive = {tool.name for tool in tools if tool.annotations and tool.annotations.destructive_hint}
    assert destructive == {"update_job", "run_job", "resend_result", "cancel_run", "delete_job"}
    arguments = {name for tool in tools for name in tool.input_schema.get("properties", {})}
    assert not arguments & {"url", "host", "server", "token", "confirmation"}


async def test_an_agent_has_the_role_of_its_token(nightmail: Nightmail, job: dict[str, object]) -> None:
    token = nightmail.call("POST", "/tokens", json={"name": "mcp-viewer", "role": "viewer"}).json()["token"]
    async with agent(nightmail, "http", User(), token) as client:
        assert isinstance(await called(client, "list_jobs"), list)
        refused = await client.call_tool("create_job", {"job": job})
        assert refused.is_error
        assert "needs the role editor" in text(refused)
    nightmail.call("DELETE", "/tokens/mcp-viewer")


BEGIN = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def mcp_call(nightmail: Nightmail, token: str, session: str | None = None, method: str = "POST") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    headers |= {} if session is None else {"Mcp-Session-Id": session}
    body = None if method == "DELETE" else BEGIN if session is None else BEGIN | {"method": "ping", "params": {}}
    return httpx.request(method, f"{nightmail.url}/mcp", headers=headers, json=body, timeout=scaled(30))


def test_the_sessions_of_one_token_leave_room_for_others_and_serve_nobody_else(nightmail: Nightmail) -> None:
    token = nightmail.call("POST", "/tokens", json={"name": "mcp-many", "role": "viewer"}).json()["token"]
    sessions = []
    while (answer := mcp_call(nightmail, token)).status_code == 200:
        sessions.append(answer.headers["mcp-session-id"])
        assert len(sessions) <= MAX_TOKEN_AGENT_SESSIONS
    assert (answer.status_code, len(sessions)) == (429, MAX_TOKEN_AGENT_SESSIONS)
    assert "20 MCP sessions" in answer.json()["detail"]
    assert "DELETE /mcp" in answer.json()["detail"]
    assert mcp_call(nightmail, nightmail.token).status_code == 200
    assert mcp_call(nightmail, token, sessions[0]).status_code == 200
    assert mcp_call(nightmail, nightmail.token, sessions[0]).status_code == 404
    for session in sessions:
        assert mcp_call(nightmail, token, session, "DELETE").status_code == 200
    assert mcp_call(nightmail, token).status_code == 200
    nightmail.call("DELETE", "/tokens/mcp-many")


async def test_requests_that_wait_for_an_answer_are_limited_and_hold_up_nobody_else(nightmail: Nightmail) -> None:
    token = nightmail.call("POST", "/tokens", json={"name": "mcp-waits", "role": "viewer"}).json()["token"]
    begin = BEGIN["params"] | {"capabilities": {"elicitation": {"form": {}}}}  # type: ignore[operator]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(base_url=nightmail.url, headers=headers, timeout=scaled(30)) as http:
        opened = await http.post("/mcp", json=BEGIN | {"params": begin})
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}

        async def ask(number: int) -> str:
            """Call a tool that asks its user, and go away after the question."""
            params = {"name": "delete_job", "arguments": {"job_name": "any"}}
            body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
            async with http.stream("POST", "/mcp", json=body, headers=session) as answer:
                lines = [line async for line in _until_data(answer)]
            return lines[-1]

        said = [await ask(number) for number in range(2, MAX_TOKEN_AGENT_CALLS + 4)]
        assert ["elicitation/create" in line for line in said] == [True] * MAX_TOKEN_AGENT_CALLS + [False] * 2
        assert "20 MCP requests open" in said[-1]
        assert mcp_call(nightmail, nightmail.token).status_code == 200
        assert (await http.delete("/mcp", headers=session)).status_code == 200
    assert mcp_call(nightmail, token).status_code == 200
    nightmail.call("DELETE", "/tokens/mcp-waits")


async def _until_data(answer: httpx.Response) -> AsyncIterator[str]:
    async for line in answer.aiter_lines():
        yield line
        if line.startswith("data: {"):
            return


async def test_an_argument_leads_to_no_other_path(nightmail: Nightmail, job: dict[str, object]) -> None:
    async with agent(nightmail, "http", User()) as client:
        for tool, arguments, said in (
            ("get_job", {"job_name": "."}, "there is no job of that name"),
            ("get_job", {"job_name": ".."}, "there is no job of that name"),
            ("get_run", {"run_id": ".."}, "there is no run '..'"),
            ("compare_runs", {"run_id": "..", "other_run_id": ".", "key": []}, "there is no run"),
            ("list_jobs", {"query": "x" * 70_000}, "an argument is not valid: "),
        ):
            answer = await client.call_tool(tool, arguments)
            assert answer.is_error
            assert said in text(answer), tool


async def test_a_refusal_names_the_field(nightmail: Nightmail, job: dict[str, object]) -> None:
    async with agent(nightmail, "stdio", User()) as client:
        refused = await client.call_tool("create_job", {"job": job | {"schedule_time": "61 * * * *"}})
    assert refused.is_error
    assert "schedule_time: " in text(refused)


def test_without_a_token_nothing_answers(nightmail: Nightmail) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert httpx.post(f"{nightmail.url}/mcp", headers=headers, json={}).status_code == 401


def test_an_api_without_agents_does_not_import_their_sdk() -> None:
    code = "import sys, nightmail_api.main; print(sorted({'mcp', 'httpx', 'httpx2'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
