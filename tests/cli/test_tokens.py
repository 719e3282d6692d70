"""`nightmail tokens` against a real API."""

import asyncio
import json
from pathlib import Path

from api.conftest import TOKEN, MakeReplica, Replica, make_replica, new_database
from support.deadlines import scaled
from support.service_starter import run_command

__all__ = ["make_replica", "new_database"]  # fixtures


async def nightmail(api: Replica, *arguments: str, token: str = TOKEN) -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr."""
    settings = {"NIGHTMAIL_URL": f"http://127.0.0.1:{api.port}", "NIGHTMAIL_TOKEN": token, "COLUMNS": "200"}
    ended = await asyncio.to_thread(run_command, arguments, settings, Path.cwd(), scaled(60))
    return ended.returncode, ended.stdout, ended.stderr


async def test_a_token_is_made_listed_and_revoked(make_replica: MakeReplica) -> None:
    api = await make_replica()
    code, out, _ = await nightmail(api, "tokens", "create", "maria", "--role", "editor", "--days", "30")
    assert code == 0
    token = out.strip()
    assert (await nightmail(api, "jobs", "list", token=token))[0] == 0

    code, out, _ = await nightmail(api, "tokens", "list", "--json")
    [entry] = json.loads(out)
    assert (code, entry["name"], entry["role"]) == (0, "maria", "editor")
    assert token not in out

    code, _, errors = await nightmail(api, "tokens", "create", "maria")
    assert (code, errors) == (1, "error: name: the name is taken\n")
    code, _, errors = await nightmail(api, "tokens", "list", token=token)
    assert (code, errors) == (1, "error: this needs the role admin; the token's is editor\n")

    assert (await nightmail(api, "tokens", "revoke", "maria"))[0] == 0
    assert (await nightmail(api, "jobs", "list", token=token))[0] == 1
    assert "there are no tokens" in (await nightmail(api, "tokens", "list"))[1]
