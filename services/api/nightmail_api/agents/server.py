"""The MCP server: its tools and resources, over any transport."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from mcp.server.context import ServerMiddleware
from mcp.server.mcpserver import MCPServer, RequestStateSecurity

from nightmail_api.agents.api_calls import ApiCalls, ClientOf
from nightmail_api.agents.read_tools import add_read_tools
from nightmail_api.agents.write_tools import add_write_tools

INSTRUCTIONS = """\
Nightmail runs pandas scripts on a schedule and mails the result. A job has a schedule, a data source, a script and
recipients; each due time gives a run. Before you create or change a job, try it with preview_job. When a report is missing
or looks wrong, find_out_why explains a run. Tools that mail people, overwrite or delete ask the user first."""


def build_server(
    client_of: ClientOf, secret_key: str | None = None, middleware: Sequence[ServerMiddleware[Any]] = ()
) -> MCPServer[None]:
    """Return a server that calls the API with the clients that `client_of` returns.

    Args:
        secret_key: seals the questions that a stateless client carries back; the same on every replica. None: a key of this
            process.
        middleware: wraps each request.
    """
    security = None if secret_key is None else RequestStateSecurity(keys=[secret_key])
    server: MCPServer[None] = MCPServer(
        "nightmail",
        title="Nightmail",
        instructions=INSTRUCTIONS,
        version=version("nightmail-api"),
        request_state_security=security,
        log_level="WARNING",
        subscriptions=False,
        middleware=middleware,
    )
    api = ApiCalls(client_of)
    add_read_tools(server, api)
    add_write_tools(server, api)
    return server
