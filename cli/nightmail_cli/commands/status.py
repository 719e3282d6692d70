"""`nightmail status`: the processes of `nightmail up`, their readiness, and the backlog of each consumer."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import typer

from nightmail_cli.location import STATE_FILE, located
from nightmail_cli.output import FAILED, AsJson, echo, fail, print_json, print_table
from nightmail_common.service.settings import ServiceSettings


def status(as_json: AsJson = False) -> None:
    """Show the processes, their readiness and the backlog. Exit 1 if a process is not ready."""
    settings = located(ServiceSettings, with_broker=True)
    try:
        state = json.loads((settings.data_dir / STATE_FILE).read_text())
    except OSError:
        fail(f"nightmail up is not running on the data folder {settings.data_dir.absolute()}")
    processes, waiting = asyncio.run(_probe(settings, state["processes"]))
    if as_json:
        print_json({"processes": processes, "waiting": waiting})
    else:
        rows = (
            (one["name"], one["pid"], "ready" if one["ready"] else "not ready", one["restarts"], one["where"])
            for one in processes
        )
        print_table(("process", "pid", "state", "restarts", "where"), rows, empty="no processes")
        for consumer, count in waiting.items():
            echo(f"waiting for {consumer}: {count}")
    if not all(process["ready"] for process in processes):
        raise typer.Exit(FAILED)


async def _probe(
    settings: ServiceSettings, processes: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    ready = await asyncio.gather(*(_is_ready(process) for process in processes))
    probed = [
        {
            "name": process["name"],
            "pid": process["pid"],
            "where": process["ready_url"] or f"127.0.0.1:{process['ready_port']}",
            "restarts": process["restarts"],
            "ready": is_ready,
        }
        for process, is_ready in zip(processes, ready, strict=True)
    ]
    return probed, await _waiting(settings)


async def _is_ready(process: dict[str, Any]) -> bool:
    from nightmail_cli.local.supervisor import http_status  # it takes long to import

    if process["ready_url"] is not None:
        return await http_status(process["ready_url"]) == 200
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", process["ready_port"]), 1)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _waiting(settings: ServiceSettings) -> dict[str, int]:
    """Return the number of events that each durable consumer has not acknowledged yet."""
    import nats.errors  # the NATS client takes long to import
    from nats.js.errors import NotFoundError

    from nightmail_cli.connect import BrokerUnreachable, connected
    from nightmail_common.broker.streams import DURABLES, STREAM

    try:
        async with connected(settings, "nightmail-status") as client:
            js = client.jetstream()
            consumers = []
            for durable in DURABLES:
                with suppress(NotFoundError):
                    consumers.append(await js.consumer_info(STREAM, durable))
    except (BrokerUnreachable, nats.errors.Error):
        return {}
    return {consumer.name: (consumer.num_pending or 0) + (consumer.num_ack_pending or 0) for consumer in consumers}
