"""The tools that read: jobs, runs, results, mails, due times, and why a run ended as it did."""

from typing import Any
from urllib.parse import quote

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations

from nightmail_api.agents.api_calls import ApiCalls
from nightmail_api.agents.explanation import explain

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
McpContext = Context[Any, Any]


def add_read_tools(server: MCPServer[Any], api: ApiCalls) -> None:
    """Add the tools and resources that read; the role viewer suffices."""
    tool = server.tool(annotations=READS)

    @tool
    async def list_jobs(ctx: McpContext, query: str | None = None, limit: int = 50) -> list[Any]:
        """List the jobs with their schedule, last run and next run, without their scripts; `query` is a part of the name."""
        return await api.items(ctx, "/jobs", limit, q=query, view="summary")

    @tool
    async def get_job(ctx: McpContext, job_name: str) -> dict[str, Any]:
        """Return a job: its schedule, data source, script and recipients."""
        return dict(await api.json(ctx, "GET", job_path(job_name)))

    @tool
    async def list_runs(
        ctx: McpContext, job_name: str | None = None, status: str | None = None, limit: int = 20
    ) -> list[Any]:
        """List runs, newest first. Statuses: requested, running, processed, delivered, failed, undelivered, skipped, cancelled."""
        path = "/runs" if job_name is None else f"{job_path(job_name)}/runs"
        return await api.items(ctx, path, limit, status=status)

    @tool
    async def get_run(ctx: McpContext, run_id: str) -> dict[str, Any]:
        """Return a run with its error, mails, digests and timeline."""
        return dict(await api.json(ctx, "GET", run_path(run_id)))

    @tool
    async def get_result(ctx: McpContext, run_id: str, offset: int = 0) -> str:
        """Return the CSV that a run mailed, from an offset in characters."""
        return await api.text(ctx, f"{run_path(run_id)}/result", max(0, offset))

    @tool
    async def get_log(ctx: McpContext, run_id: str, offset: int = 0) -> str:
        """Return what the script of a run printed, from an offset in characters."""
        return await api.text(ctx, f"{run_path(run_id)}/log", max(0, offset))

    @tool
    async def compare_runs(ctx: McpContext, run_id: str, other_run_id: str, key: list[str]) -> dict[str, Any]:
        """Return the rows added, removed and changed from one result to another; an empty `key` compares whole rows."""
        path = f"{run_path(run_id)}/diff/{segment(other_run_id)}"
        return dict(await api.json(ctx, "GET", path, params={"key": key}))

    @tool
    async def find_out_why(ctx: McpContext, run_id: str) -> str:
        """Explain how a run ended: error, notes, mails, and whether its data or its script differ from the run before."""
        run = await api.json(ctx, "GET", run_path(run_id))
        log = await api.text(ctx, f"{run_path(run_id)}/log")
        delivered = await api.items(ctx, "/runs", 20, job_name=run["job_name"], status="delivered")
        earlier = next((one for one in delivered if (one["requested_at"] or "") < (run["requested_at"] or "")), None)
        before = None if earlier is None else await api.json(ctx, "GET", run_path(earlier["run_id"]))
        return explain(run, log, before)

    @tool
    async def list_mails(
        ctx: McpContext, recipient: str | None = None, job_name: str | None = None, limit: int = 20
    ) -> list[Any]:
        """List what was mailed to whom, newest first, with the mail server's last answer."""
        return await api.items(ctx, "/mails", limit, recipient=recipient, job_name=job_name)

    @tool
    async def preview_schedule(ctx: McpContext, schedule_time: str, timezone: str | None = None) -> dict[str, Any]:
        """Return what a schedule means in words, and its next due times."""
        query = {"schedule_time": schedule_time} | ({} if timezone is None else {"timezone": timezone})
        return dict(await api.json(ctx, "GET", "/schedules/preview", params=query))

    _add_resources(server, api)


def _add_resources(server: MCPServer[Any], api: ApiCalls) -> None:
    @server.resource("nightmail://jobs/{job_name}", mime_type="application/json")
    async def job(job_name: str, ctx: McpContext) -> dict[str, Any]:
        """A job."""
        return dict(await api.json(ctx, "GET", job_path(job_name)))

    @server.resource("nightmail://runs/{run_id}", mime_type="application/json")
    async def run(run_id: str, ctx: McpContext) -> dict[str, Any]:
        """A run with its timeline."""
        return dict(await api.json(ctx, "GET", run_path(run_id)))

    @server.resource("nightmail://runs/{run_id}/result", mime_type="text/csv")
    async def result(run_id: str, ctx: McpContext) -> str:
        """The CSV that a run mailed."""
        return await api.text(ctx, f"{run_path(run_id)}/result")


def job_path(job_name: str) -> str:
    return f"/jobs/{segment(job_name)}"


def run_path(run_id: str) -> str:
    return f"/runs/{segment(run_id)}"


def segment(text: str) -> str:
    """Return a segment of a path; httpx would resolve `.` and `..` (RFC 3986, section 5.2.4)."""
    return "%2E" * len(text) if text in {".", ".."} else quote(text, safe="")
