"""The API for agents: the same objects over the Model Context Protocol (MCP, https://modelcontextprotocol.io)."""
