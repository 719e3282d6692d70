"""Scripts that are slow to parse or to compile: refused, and other requests are answered meanwhile."""

import asyncio

import pytest

from api.conftest import Replica
from support.deadlines import scaled
from support.event_loop import measured_stalls
from support.job_requests import job_request


def nested_finally(levels: int) -> str:
    """Return a script whose code doubles with each level."""
    lines = []
    for level in range(levels):
        lines += [f"{' ' * level}{line}" for line in ("try:", " a()", "finally:")]
    return "\n".join([*lines, " " * levels + "b()", "return data"])


HOSTILE = {
    "dotted import": ("import " + ".".join("a" * 60_000), "line 1: a dotted name has more than 200 parts"),
    "dotted from": ("x = 1\nfrom " + " . ".join("a" * 30_000) + " import b", "line 2: a dotted name"),
    "nested finally": (nested_finally(20), "the script is too deeply nested"),
    "nested parentheses": ("x = " + "(" * 60_000, "nested"),
    "long sum": ("x = " + "+".join(["a"] * 60_000), "recursion depth"),
    "unclosed": ("#" * 3000 + "\nreturn (", "line 2: '(' was never closed"),
    "import": ("#" * 3000 + "\nimport socket", "line 2: a script may not import 'socket'"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_script_that_is_slow_to_compile_is_refused_and_the_api_goes_on(api: Replica, name: str) -> None:
    script, detail = HOSTILE[name]
    async with measured_stalls() as stalls:
        created = asyncio.create_task(
            api.http.post("/jobs", json=job_request(processing_script=script), timeout=scaled(40))
        )
        answer = await created
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == "processing_script"
    assert detail in error["detail"]
    assert stalls.longest_seconds < scaled(0.25)


async def test_a_long_script_is_compiled_and_created_while_the_api_goes_on(api: Replica) -> None:
    script = "x = 1\n" * 20_000 + "return data"
    async with measured_stalls() as stalls:
        created = await api.create(processing_script=script)
    assert created["processing_script"] == script
    assert stalls.longest_seconds < scaled(0.25)


async def test_an_update_and_a_preview_check_a_long_script_too(api: Replica) -> None:
    await api.create()
    script = HOSTILE["nested finally"][0]
    changed = await api.http.put("/jobs/daily%20sales", json=job_request(processing_script=script), timeout=scaled(40))
    tried = await api.http.post("/jobs/preview", json=job_request(processing_script=script), timeout=scaled(40))
    assert (changed.status_code, tried.status_code) == (400, 400)
