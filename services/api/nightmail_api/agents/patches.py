"""Workarounds for the MCP SDK, each with what makes it unnecessary."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


def session_owners(manager: "StreamableHTTPSessionManager") -> "Mapping[str, AuthorizationContext]":
    """Return who began each open session, by the session's id; the mapping changes as sessions begin and end.

    The SDK bounds the sessions of all callers together (https://github.com/modelcontextprotocol/python-sdk/pull/3395), and
    says in no public way how many one caller has: unnecessary once it has a limit of one caller.
    """
    return manager._session_owners  # noqa: SLF001
