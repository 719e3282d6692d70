"""A part of a long text for an agent: httpx's ASGITransport holds the whole body of an answer, which can have 256 MiB."""

import codecs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: A longer text would fill the context of the agent's model; the agent reads the rest by offset.
MAX_TEXT_CHARS = 50_000
#: On a request from within this process: the answer is a text, of which the part from this offset is wanted, in characters.
OFFSET_HEADER = "x-nightmail-text-offset"


class TextWindow:
    """Passes a part of each text that is asked for with an offset; the last line of a cut text says how to read on.

    Only calls of the tools come through it, so that no client of the API can send the header.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        offset = Headers(scope=scope).get(OFFSET_HEADER)
        if offset is None:
            await self._app(scope, receive, send)
            return
        start, end = int(offset), int(offset) + MAX_TEXT_CHARS
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        position, is_text = 0, False

        async def send_part(message: Message) -> None:
            nonlocal position, is_text
            if message["type"] == "http.response.start":
                is_text = message["status"] == 200
                del MutableHeaders(scope=message)["content-length"]
            elif is_text:
                is_last = not message.get("more_body", False)
                text = decoder.decode(message.get("body", b""), is_last)
                part = text[max(0, start - position) : max(0, end - position)]
                position += len(text)
                if is_last and position > end:
                    part += f"\n[{position - end} more characters: read on with offset {end}]"
                message = {**message, "body": part.encode()}
            await send(message)

        await self._app(scope, receive, send_part)
