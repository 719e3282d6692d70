"""`nightmail mcp`: an MCP server on stdin and stdout, for agents on this machine."""

import typer

from nightmail_cli import location


def mcp() -> None:
    """Serve agents over MCP on stdin and stdout.

    The agent has the rights of the token that the other commands use. On the network, the API serves the same at /mcp.
    """
    import httpx  # these take long to import

    from nightmail_api.agents.api_calls import TIMEOUT_SECONDS
    from nightmail_api.agents.server import build_server

    api = location.api()
    headers = {"Authorization": f"Bearer {api.token}"}
    server = build_server(
        lambda _context: httpx.AsyncClient(base_url=api.url, headers=headers, timeout=TIMEOUT_SECONDS)
    )
    try:
        server.run("stdio")
    except KeyboardInterrupt:
        raise typer.Exit from None
