"""The console's files: its page at every address, the assets of this build, and the policy of the page."""

import gzip
import re

import httpx
import pytest

from api.conftest import Api
from nightmail_api.http.routes.console import FILES, POLICY

#: What a browser gets before it has shown anything (CONSOLE 4.6), compressed.
MAX_FIRST_VIEW_BYTES = 60_000
#: What it gets where a script is edited.
MAX_EDITOR_BYTES = 165_000


@pytest.fixture
async def page(shared_api: Api) -> httpx.Response:
    return await shared_api.http.get("/console/")


def assets_of(page: httpx.Response) -> list[str]:
    return re.findall(r'(?:src|href)="(/console/assets/[^"]+)"', page.text)


@pytest.mark.parametrize("path", ["/", "/console"])
async def test_people_are_led_to_the_console(shared_api: Api, path: str) -> None:
    answer = await shared_api.http.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, "/console/")


@pytest.mark.parametrize("path", ["", "jobs", "jobs/daily%20sales", "runs/4f1c?x=1"])
async def test_the_page_is_at_every_address_needs_no_session_and_is_never_stale(shared_api: Api, path: str) -> None:
    async with shared_api.client(None) as nobody:
        answer = await nobody.get(f"/console/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"


async def test_the_policy_of_the_page_allows_nothing_but_this_origin(page: httpx.Response) -> None:
    assert page.headers["content-security-policy"] == POLICY
    directives = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["default-src"] == directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert directives["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in POLICY
    assert "<style" not in page.text
    assert " style=" not in page.text
    assert re.findall(r"<script[^>]*>", page.text) == [f'<script type="module" src="{assets_of(page)[-1]}">']


async def test_assets_are_compressed_typed_and_kept_for_ever(shared_api: Api, page: httpx.Response) -> None:
    types = {"svg": "image/svg+xml", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
    found = assets_of(page)
    assert len(found) == 4
    for path in found:
        answer = await shared_api.http.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-type"] == types[path.rpartition(".")[2]]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept-Encoding"
        plain = await shared_api.http.get(path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == answer.content == (FILES / "assets" / path.rpartition("/")[2]).read_bytes()


async def test_an_asset_of_another_version_or_outside_of_the_folder_is_not_found(
    shared_api: Api, page: httpx.Response
) -> None:
    version = assets_of(page)[0].split("/")[3]
    for path in ("0/main.js", f"{version}/none.js", f"{version}/..%2Findex.html", f"{version}/%2e%2e/index.html"):
        answer = await shared_api.http.get(f"/console/assets/{path}")
        assert answer.status_code == 404 or answer.text == page.text, path


async def test_the_first_view_is_within_its_budget(page: httpx.Response) -> None:
    names = [path.rpartition("/")[2] for path in assets_of(page)]
    sizes = {name: len(gzip.compress((FILES / "assets" / name).read_bytes())) for name in names}
    assert sum(sizes.values()) + len(gzip.compress(page.content)) < MAX_FIRST_VIEW_BYTES, sizes
    assert "code-mirror.js" not in sizes
    assert len(gzip.compress((FILES / "assets" / "code-mirror.js").read_bytes())) < MAX_EDITOR_BYTES
