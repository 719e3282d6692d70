"""The tools that change something. What mails people, overwrites or deletes asks the agent's user first (elicitation)."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context, Elicit, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from nightmail_api.agents.api_calls import ApiCalls
from nightmail_api.agents.read_tools import job_path, run_path

TRIES = ToolAnnotations(read_only_hint=True, open_world_hint=True)
ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
DESTROYS = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=True)
McpContext = Context[Any, Any]


class Confirmation(BaseModel):
    """The user's answer."""

    confirm: bool = Field(description="Do it?")


def _confirmed(confirmation: Confirmation) -> None:
    if not confirmation.confirm:
        raise ToolError("the user does not want it")


async def _ask_update(job_name: str) -> Elicit[Confirmation]:
    return Elicit(f"Replace the definition of the job {job_name!r}? The old one stays as a version.", Confirmation)


async def _ask_run(job_name: str) -> Elicit[Confirmation]:
    return Elicit(f"Run the job {job_name!r} now? Its recipients get a mail.", Confirmation)


async def _ask_resend(run_id: str) -> Elicit[Confirmation]:
    return Elicit(f"Mail the result of the run {run_id} again?", Confirmation)


async def _ask_cancel(run_id: str) -> Elicit[Confirmation]:
    return Elicit(f"Cancel the run {run_id}? Nothing of it is mailed.", Confirmation)


async def _ask_delete(job_name: str) -> Elicit[Confirmation]:
    return Elicit(f"Delete the job {job_name!r}? Its history stays readable.", Confirmation)


def add_write_tools(server: MCPServer[Any], api: ApiCalls) -> None:
    """Add the tools that change something; the role editor is needed."""

    @server.tool(annotations=TRIES)
    async def preview_job(ctx: McpContext, job: dict[str, Any]) -> dict[str, Any]:
        """Fetch the data and run the script of an unsaved job, and mail nothing: columns, first rows, log, or the error."""
        return dict(await api.json(ctx, "POST", "/jobs/preview", json=job))

    @server.tool(annotations=ADDS)
    async def create_job(ctx: McpContext, job: dict[str, Any]) -> dict[str, Any]:
        """Create a job. Fields: job_name, schedule_time (cron), timezone, data_source, processing_script, consumer_emails."""
        return dict(await api.json(ctx, "POST", "/jobs/create", json=job))

    @server.tool(annotations=DESTROYS)
    async def update_job(
        ctx: McpContext,
        job_name: str,
        job: dict[str, Any],
        confirmation: Annotated[Confirmation, Resolve(_ask_update)],
    ) -> dict[str, Any]:
        """Replace the definition of a job, after the user confirms it."""
        _confirmed(confirmation)
        return dict(await api.json(ctx, "PUT", job_path(job_name), json=job))

    @server.tool(annotations=ADDS)
    async def pause_job(ctx: McpContext, job_name: str) -> dict[str, Any]:
        """Pause a job: its due times give no runs."""
        return dict(await api.json(ctx, "POST", f"{job_path(job_name)}/pause"))

    @server.tool(annotations=ADDS)
    async def resume_job(ctx: McpContext, job_name: str) -> dict[str, Any]:
        """Resume a paused job."""
        return dict(await api.json(ctx, "POST", f"{job_path(job_name)}/resume"))

    @server.tool(annotations=DESTROYS)
    async def run_job(
        ctx: McpContext, job_name: str, confirmation: Annotated[Confirmation, Resolve(_ask_run)]
    ) -> dict[str, Any]:
        """Run a job now and mail its result, after the user confirms it. Returns the run's id at once."""
        _confirmed(confirmation)
        return dict(await api.json(ctx, "POST", f"{job_path(job_name)}/run"))

    @server.tool(annotations=DESTROYS)
    async def resend_result(
        ctx: McpContext, run_id: str, confirmation: Annotated[Confirmation, Resolve(_ask_resend)]
    ) -> dict[str, Any]:
        """Mail the kept result of a run again, after the user confirms it."""
        _confirmed(confirmation)
        return dict(await api.json(ctx, "POST", f"{run_path(run_id)}/resend", json={}))

    @server.tool(annotations=DESTROYS)
    async def cancel_run(
        ctx: McpContext, run_id: str, confirmation: Annotated[Confirmation, Resolve(_ask_cancel)]
    ) -> dict[str, Any]:
        """Cancel a queued or running run, after the user confirms it."""
        _confirmed(confirmation)
        return dict(await api.json(ctx, "POST", f"{run_path(run_id)}/cancel"))

    @server.tool(annotations=DESTROYS)
    async def delete_job(
        ctx: McpContext, job_name: str, confirmation: Annotated[Confirmation, Resolve(_ask_delete)]
    ) -> str:
        """Delete a job, after the user confirms it. Its history stays."""
        _confirmed(confirmation)
        await api.delete(ctx, job_path(job_name))
        return f"deleted {job_name!r}"
