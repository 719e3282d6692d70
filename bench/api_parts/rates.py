"""Requests a second of the API as a ratio to bare FastAPI on the same core.

Create (durable and read back) and get, from 32 connections, against a bare FastAPI application with the same model and
no log. The server is pinned to the first core, the load and the broker to the second.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import nats

from api_parts.http_load import get, load, repeated
from api_parts.process import api, pin, server
from nightmail_common.broker import streams
from nightmail_common.contract.job_definition import JobDefinition
from shared.jobs import job_fields
from shared.nats_server import nats_server
from shared.nightmail_up import TOKEN, free_port

BENCH = Path(__file__).parents[1]
CONNECTIONS = 32
CREATE_BUDGET, GET_BUDGET = 0.1, 0.5


async def rates() -> None:
    """Print requests per second of the API and of bare FastAPI, and their ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with nats_server(folder) as (url, broker):
            pin(broker, 1)
            client = await nats.connect(url)
            await streams.ensure_streams(client.jetstream(), timedelta(days=1))
            await client.close()
            async with api(folder, url) as port:
                ours_create = await load(port, creates(port, "/jobs/create"), CONNECTIONS)
                ours_get = await load(port, repeated(get(port, "/jobs/job%20000001")), CONNECTIONS)
    port = free_port()
    async with server(["-m", "api_parts.rates", str(port)], {"PYTHONPATH": str(BENCH)}, port, "/jobs/any"):
        bare_create = await load(port, creates(port, "/jobs/create"), CONNECTIONS)
        bare_get = await load(port, repeated(get(port, "/jobs/any")), CONNECTIONS)
    for name, ours, other, budget in (
        ("create", ours_create, bare_create, CREATE_BUDGET),
        ("get", ours_get, bare_get, GET_BUDGET),
    ):
        print(
            f"{name:<7} {ours.rate:8.0f}/s  p99 {ours.p99:6.1f} ms   bare FastAPI {other.rate:8.0f}/s"
            f"   ratio {ours.rate / other.rate:.2f} (at least {budget})"
        )


def creates(port: int, path: str) -> Callable[[], bytes]:
    """Return what makes requests, each for a job of another name."""
    number = 0

    def request() -> bytes:
        nonlocal number
        number += 1
        body = json.dumps(job_fields(f"job {number:06}"))
        head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json"
        return f"POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    return request


def serve_bare(port: int) -> None:
    """Serve the same model, kept in a dict: what FastAPI itself can do here."""
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()
    kept: dict[str, JobDefinition] = {}
    sample = JobDefinition.model_validate(job_fields("any"))

    @app.post("/jobs/create", status_code=201)
    async def create(definition: JobDefinition) -> JobDefinition:
        kept[definition.job_name] = definition
        return definition

    @app.get("/jobs/{job_name}")
    async def read(job_name: str) -> JobDefinition:
        return kept.get(job_name, sample)

    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False)


if __name__ == "__main__":
    serve_bare(int(sys.argv[1]))
