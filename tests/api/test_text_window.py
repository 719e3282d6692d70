"""An agent reads a part of a long text, and the process holds no more of it."""

import tracemalloc

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from nightmail_api.agents.text_window import MAX_TEXT_CHARS, OFFSET_HEADER, TextWindow


class LongText:
    """Answers with a text of parts that begin and end within a character."""

    def __init__(self, text: str, status: int = 200, part_bytes: int = 7) -> None:
        self.body = text.encode()
        self._status = status
        self._part_bytes = part_bytes

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self._status, "headers": [(b"content-length", b"9")]})
        for begin in range(0, len(self.body), self._part_bytes):
            part = self.body[begin : begin + self._part_bytes]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def asked(app: LongText, offset: int) -> bytes:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(TextWindow(app)), base_url="http://test") as client:
        return (await client.get("/", headers={OFFSET_HEADER: str(offset)})).content


@pytest.mark.parametrize("offset", [0, 1, 999, MAX_TEXT_CHARS, 69_999, 70_000, 90_000])
async def test_a_text_is_read_from_an_offset_and_its_last_line_says_how_to_read_on(offset: int) -> None:
    text = "é€x\n𝄞" * 14_000
    end = offset + MAX_TEXT_CHARS
    rest = f"\n[{70_000 - end} more characters: read on with offset {end}]" if end < 70_000 else ""
    assert (await asked(LongText("\ufeff" + text), offset)).decode() == text[offset:end] + rest


async def test_an_error_is_passed_as_it_is() -> None:
    assert await asked(LongText("a problem", status=404), 5) == b"a problem"


async def test_a_long_text_is_not_held() -> None:
    app = LongText("x" * 20_000_000, part_bytes=128 * 1024)
    tracemalloc.start()
    try:
        await asked(app, 0)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
