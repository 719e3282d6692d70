"""Every operation of the OpenAPI document, called by schemathesis with all of its checks."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from nats.aio.client import Client
from nats.aio.msg import Msg

from api.conftest import TOKEN, MakeReplica
from nightmail_api.http.application import build_application
from nightmail_common.contract.subjects import PREVIEW, TEST_MAIL

PREVIEW_ANSWER = {
    "columns": ["region"],
    "rows": 1,
    "first_rows": [["north"]],
    "error": None,
    "log": "",
    "timings": {"fetch_ms": 41.2, "parse_ms": 1.9, "script_ms": 3.4, "output_ms": 0.8, "total_ms": 52.6},
}
TEST_MAIL_ANSWER = {"steps": [{"step": "resolve", "ok": True, "detail": "127.0.0.1"}]}
CONFIG = """
seed = 1
suppress-health-check = ["all"]

[generation]
max-examples = 3
database = "none"
deterministic = true

[checks.positive_data_acceptance]
# A schema cannot express a schedule, an address, Python or a cursor: the response to an invalid one is a 400 that names the
# field, and to an outdated version a 412.
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 429, 503]

[phases.stateful]
max-steps = 4

[[operations]]
# The stream is endless; test_event_stream.py reads it.
include-path = "/events/stream"
enabled = false

[[operations]]
# Another address of POST /jobs: all variants of a job are sent there, some to this one.
include-path = "/jobs/create"
phases.coverage.enabled = false
"""


def test_the_two_addresses_of_a_new_job_are_one_operation() -> None:
    application = build_application(None)  # type: ignore[arg-type]
    paths = application.openapi()["paths"]
    first, second = (paths[path]["post"] for path in ("/jobs", "/jobs/create"))
    assert first == second | {"operationId": first["operationId"]}
    endpoints = {
        route.endpoint  # type: ignore[attr-defined]
        for route in application.routes
        if route.path in {"/jobs", "/jobs/create"} and "POST" in route.methods  # type: ignore[attr-defined]
    }
    assert len(endpoints) == 1


async def test_every_operation_conforms_to_the_document(
    make_replica: MakeReplica, nats_client: Client, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.setattr("nightmail_api.access.rate_limit.MAX_FAILURES", 10**9)  # type: ignore[attr-defined] # one address sends all

    def answer(content: object) -> Callable[[Msg], Awaitable[None]]:
        async def respond(request: Msg) -> None:
            await request.respond(json.dumps(content).encode())

        return respond

    await nats_client.subscribe(PREVIEW, "runners", cb=answer(PREVIEW_ANSWER))
    await nats_client.subscribe(TEST_MAIL, "mailers", cb=answer(TEST_MAIL_ANSWER))
    api = await make_replica()
    await api.create()
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    testing = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("--config-file", tmp_path / "schemathesis.toml"),
        *("run", f"http://127.0.0.1:{api.port}/openapi.json"),
        *("--header", f"Authorization: Bearer {TOKEN}"),
        *("--checks", "all", "--no-color"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await testing.communicate()
    assert testing.returncode == 0, printed.decode()
