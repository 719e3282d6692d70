"""`nightmail status`: the services of the system wherever it runs, and the processes of `nightmail up` on this machine."""

import asyncio
from typing import Any

import typer

from nightmail_cli.local.probes import is_ready
from nightmail_cli.location import data_folder, running_processes
from nightmail_cli.output import FAILED, AsJson, echo, format_time, print_json, print_table


def status(as_json: AsJson = False) -> None:
    """Show the services, their backlog, and what is wrong. Exit 1 if a service or process is not ready."""
    processes = asyncio.run(_probe(running_processes(data_folder())))
    system = _read_system(required=not processes)
    if as_json:
        waiting = {one["name"]: one["backlog"] for one in system["services"] if one["backlog"] is not None}
        print_json({"processes": processes, "waiting": waiting, "system": system})
    else:
        _print(processes, system)
    replicas = [replica for one in system["services"] for replica in one["replicas"]]
    ready = all(one["ready"] for one in (*processes, *replicas, *system["services"]))
    if not ready or not system["services"]:
        raise typer.Exit(FAILED)


def _read_system(*, required: bool) -> dict[str, Any]:
    """Return the answer of `GET /system`; an API that does not answer ends the command only if the answer is required."""
    from nightmail_cli.client import SYSTEM_TIMEOUT_SECONDS, Client  # httpx takes long to import
    from nightmail_client import NightmailError

    client = Client(SYSTEM_TIMEOUT_SECONDS)
    if required:
        return dict(client.call("GET", "/system").json())
    try:
        return dict(client.api.system())
    except NightmailError as error:
        echo(f"the API does not say how the services are: {error}", err=True)
        return {"services": [], "checks": []}


def _print(processes: list[dict[str, Any]], system: dict[str, Any]) -> None:
    if processes:
        rows = (
            (one["name"], one["pid"], "ready" if one["ready"] else "not ready", one["restarts"], one["where"])
            for one in processes
        )
        print_table(("process", "pid", "state", "restarts", "where"), rows, empty="no processes")
    if not system["services"]:  # the API did not answer
        return
    if processes:
        echo()
    replicas = [
        (
            one["name"],
            replica["instance"],
            "ready" if replica["ready"] else "not ready",
            replica["version"],
            format_time(replica["started_at"]),
        )
        for one in system["services"]
        for replica in one["replicas"]
    ]
    columns = ("service", "replica", "state", "version", "since")
    is_known = all(check["name"] != "nats" or check["state"] == "ok" for check in system["checks"])
    empty = "no service announces itself" if is_known else "the broker does not answer: nobody knows which services run"
    print_table(columns, replicas, empty=empty, optional=("since", "version"))
    for one in system["services"]:
        if one["backlog"] is not None:
            echo(f"waiting for {one['name']}: {one['backlog']}")
    for check in system["checks"]:
        if check["state"] != "ok":
            echo(f"\n{check['state']}, {check['name']}: {check['detail']}\n  fix: {check['fix']}")


async def _probe(processes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ready = await asyncio.gather(*(is_ready(process["ready_url"], process["ready_port"]) for process in processes))
    return [
        {
            "name": process["name"],
            "pid": process["pid"],
            "where": process["ready_url"] or f"127.0.0.1:{process['ready_port']}",
            "restarts": process["restarts"],
            "ready": ready_now,
        }
        for process, ready_now in zip(processes, ready, strict=True)
    ]
