"""The event contract as AsyncAPI 3: valid by the official schema, complete, and the one in the repository."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft7Validator, Draft202012Validator

from api.conftest import Api
from nightmail_api.asyncapi.document import document, encoded
from nightmail_api.asyncapi.examples import example_of
from nightmail_api.asyncapi.page import page
from nightmail_common.contract.envelope import event_body
from nightmail_common.contract.events import EVENTS
from support.deadlines import scaled

ROOT = Path(__file__).parents[2]
OFFICIAL: dict[str, Any] = json.loads((ROOT / "tests" / "data" / "asyncapi-3.0.0.schema.json").read_text())


def test_the_document_is_valid_by_the_official_schema() -> None:
    validator = Draft7Validator(OFFICIAL)
    assert [error.message for error in validator.iter_errors(document())] == []
    broken = json.loads(json.dumps(document()))
    broken["operations"]["publish-run-started"]["action"] = "shout"
    del broken["channels"]["run-started"]["messages"]["run-started"]["$ref"]
    broken["info"].pop("title")
    assert not validator.is_valid(broken)


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_the_document_is_valid_by_the_official_parser() -> None:
    try:
        ended = subprocess.run(
            ["make", "--no-print-directory", "asyncapi"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=scaled(60),
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not reach its registry")
    if not (ROOT / ".asyncapi" / "node_modules" / "@asyncapi" / "parser").exists():
        pytest.skip(f"npm cannot install @asyncapi/parser: {ended.stderr[-300:]}")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.split()[-2:] == [f"{len(EVENTS)}", "messages"]


def test_every_reference_in_the_document_has_a_target() -> None:
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', encoded()))
    assert len(references) > 60
    for reference in references:
        place: Any = document()
        for part in reference.split("/"):
            place = place[part]


def test_the_copy_in_the_repository_is_this_document() -> None:
    hint = "run: python -m nightmail_api.asyncapi.document > docs/asyncapi.json"
    assert (ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8") == encoded(), hint


@pytest.mark.parametrize("name", EVENTS)
def test_the_example_of_an_event_fits_its_model_and_its_documented_schema(name: str) -> None:
    event = EVENTS[name]
    message = document()["components"]["messages"][name]
    [example] = message["examples"]
    assert event.model_validate_json(json.dumps(example["payload"])) == example_of(event)
    assert example["payload"] == json.loads(event_body(example_of(event)))
    schema = {"$ref": message["payload"]["$ref"], "components": document()["components"]}
    Draft202012Validator(schema).validate(example["payload"])
    assert document()["channels"][name]["address"] == f"{event.family}.{{job}}.{name}"


def test_the_page_shows_every_event_and_has_no_script() -> None:
    assert all(f'<h2 id="{name}">' in page() for name in EVENTS)
    assert "<script" not in page()
    assert "http://" not in page().replace("http://www.w3.org", "")


async def test_both_are_served_without_a_token(shared_api: Api) -> None:
    async with shared_api.client(None) as nobody:
        served = await nobody.get("/asyncapi.json")
        shown = await nobody.get("/asyncapi")
    assert (served.status_code, served.json()) == (200, document())
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "script-src" not in shown.headers["content-security-policy"]
