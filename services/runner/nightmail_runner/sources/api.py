"""Fetches a source of type `api`: fills its request, authenticates it, downloads the answer."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from urllib.parse import quote, urlencode

import httpx

from nightmail_common.contract.http_source import map_texts, texts_of
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.limits import MAX_FETCH_SECONDS
from nightmail_common.contract.source_templates import fill_times
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.sources.answer_counts import next_page_in
from nightmail_runner.sources.authentication import Authentication, check_headers
from nightmail_runner.sources.conditional import Memory
from nightmail_runner.sources.download import Answer, Write, download
from nightmail_runner.sources.errors import CannotFetch, SourceRefused
from nightmail_runner.sources.input import Input
from nightmail_runner.sources.link_header import next_link
from nightmail_runner.sources.masking import Masker
from nightmail_runner.sources.pages import read_pages
from nightmail_runner.sources.redirects import SourceRequest
from nightmail_runner.sources.source_secrets import SecretStore, host_of
from nightmail_runner.sources.tokens import TokenCache
from nightmail_runner.template_times import SourceTimes


class ApiFetcher:
    """Fetches over HTTP. Two fetches share connections and OAuth 2.0 tokens, and nothing else.

    Args:
        timeout_seconds: the longest silence of a source that sets no `timeout_seconds`.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, timeout_seconds: float, secrets: SecretStore) -> None:
        self._transport = transport
        self._timeout_seconds = timeout_seconds
        self._secrets = secrets
        self._tokens = TokenCache(transport)

    async def fetch(self, source: DataSource, times: SourceTimes, data: Input, memory: Memory | None = None) -> None:
        """Write a source's bytes to `data`.

        Args:
            memory: of a source that may be asked for changes only.

        Raises:
            CannotFetch: the data cannot be fetched. The message can contain a secret that `data.masker` masks.
        """
        try:
            async with asyncio.timeout(MAX_FETCH_SECONDS):
                await self._fetch(source, times, data, memory)
        except TimeoutError:
            raise CannotFetch(f"the source took longer than {MAX_FETCH_SECONDS} s in all") from None

    async def _fetch(self, source: DataSource, times: SourceTimes, data: Input, memory: Memory | None) -> None:
        host = host_of(source.location)
        data.masker.hide(self._secrets.values_of(_texts(source)))
        authentication = Authentication(source.auth, host, self._secrets, self._tokens, data.masker)
        request = build_request(source, times, self._secrets, data.masker)
        client = SourceClient(self._transport, authentication, source.timeout_seconds or self._timeout_seconds)
        if source.pagination is not None:
            await read_pages(source, source.pagination, request, client.send, data)
            return
        answer = await _send(client, request, data, memory)
        if answer.not_modified:
            return
        data.charset = answer.charset
        # The validators of a redirect's target are not those of the source.
        if memory is not None and answer.url == httpx.URL(request.url):
            data.validators = memory.validators(answer.headers)
        data.add_count(answer.headers)
        for note in answer.notes:
            data.add_note(note)
        if (named := next_page_in(answer.headers)) is not None:
            data.add_note(
                f"the answer has the header {shorten(named)!r}: the data has more pages, which are missing; pagination can read them"
            )
        with suppress(CannotFetch):  # an invalid Link header is ignored for a source without pages
            if next_link(answer.headers) is not None:
                data.add_note(
                    'the Link header of the answer has rel="next": the data has more pages, which are missing; pagination can'
                    " read them"
                )


async def _send(client: "SourceClient", request: SourceRequest, data: Input, memory: Memory | None) -> Answer:
    """Send a request; if an earlier answer is kept, ask for changes first, and read that one if there are none."""
    if memory is not None and (kept := memory.kept) is not None:
        answer = await client.send(kept.condition(request), data.begin)
        if not answer.not_modified:
            return answer
        if answer.url == httpx.URL(request.url) and await memory.read(kept, data):
            return answer
    return await client.send(request, data.begin)


class SourceClient:
    """Sends the requests of one fetch, authenticated."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, authentication: Authentication, timeout_seconds: float
    ) -> None:
        self._transport = transport
        self._authentication = authentication
        self._timeout_seconds = timeout_seconds

    async def send(self, request: SourceRequest, begin: Callable[[], Write]) -> Answer:
        """Send a request; once more with a new token if the source refuses the one of OAuth 2.0.

        Raises:
            CannotFetch: as `download`.
        """
        try:
            return await self._send(request, begin)
        except SourceRefused as error:
            if error.status != httpx.codes.UNAUTHORIZED or not self._authentication.renew():
                raise
        return await self._send(request, begin)

    async def _send(self, request: SourceRequest, begin: Callable[[], Write]) -> Answer:
        header = await self._authentication.header(self._timeout_seconds)
        request = replace(request, headers={**request.headers, **header})
        return await download(self._transport, request, begin, self._timeout_seconds)


def build_request(source: DataSource, times: SourceTimes, secrets: SecretStore, masker: Masker) -> SourceRequest:
    """Return the request of a source with its templates filled in, without its authentication.

    Raises:
        CannotFetch: a secret cannot be sent, or a header cannot hold its value.
    """
    host = host_of(source.location)

    def fill(text: str) -> str:
        return secrets.fill(fill_times(text, times.values), host)

    location = fill_times(source.location, times.values, partial(quote, safe="/:,-._~"))
    url = secrets.fill(location, host, partial(quote, safe=""))
    if source.params:
        params = {name: fill(_parameter(value)) for name, value in source.params.items()}
        head, hash_sign, fragment = url.partition("#")
        url = f"{head}{'&' if '?' in head else '?'}{urlencode(params)}{hash_sign}{fragment}"
    headers = {name: secrets.fill(value, host) for name, value in (source.headers or {}).items()}
    body = None
    if source.body is not None:
        filled = map_texts(source.body, fill)
        body = (filled if isinstance(filled, str) else json.dumps(filled)).encode()
        if not isinstance(filled, str) and "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json"
    check_headers(headers)
    return SourceRequest(url, headers, source.method, body, masker.mask)


def _texts(source: DataSource) -> list[str]:
    """Return every text of a source that may name a secret, but for its auth."""
    params = map(_parameter, (source.params or {}).values())
    return [source.location, *(source.headers or {}).values(), *params, *texts_of(source.body)]


def _parameter(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
