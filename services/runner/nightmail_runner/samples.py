"""Samples: the input of a dry run, on which a later one can run instead of fetching again.

A sample is one object: a line of JSON that describes its sources, then their bytes in the same order.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Self

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.object_bucket import ObjectChanged, pieces_of
from nightmail_common.broker.sample_store import SamplesFull, SampleStore
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import Note, RunRequested
from nightmail_common.contract.job import DataSource, Job
from nightmail_common.contract.limits import MAX_SAMPLE_BYTES
from nightmail_common.contract.source_types import MAIN_SOURCE
from nightmail_common.contract.subjects import PREVIEW_KEEP_AS, PREVIEW_SAMPLE
from nightmail_runner.execute import Fetch
from nightmail_runner.kept_inputs import RunInputs
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.fetch_all import Fetched
from nightmail_runner.sources.input import ByteBudget, Input, shorten_note
from nightmail_runner.sources.masking import Masker

#: The fields that decide how bytes are read, not which: they may differ between uses of a sample.
_READING = frozenset(DataSource.model_fields) - frozenset(
    ("source_type", "location", "query", "parameters", "headers", "method", "params", "body", "auth", "pagination")
)
#: Pages are joined as the format asks.
_JOINING = frozenset(("file_type", "records_path"))
_NOT_STORED: tuple[type[Exception], ...] = (SamplesFull, ObjectChanged, *BROKER_ERRORS)
#: Searched for secrets at a time, with so much of the next piece.
_SEARCHED_CHARS, _LONGEST_SECRET_CHARS = 256 * 1024, 16 * 1024


class SampleGone(CannotFetch):
    """There is no such sample, or its hour is over."""

    def __init__(self) -> None:
        super().__init__("the sample is not kept, or no longer (an hour): leave out sample_id to fetch the data again")


class SampleOfOtherSource(CannotFetch):
    """The sample was fetched from something else."""


class SampleNotKept(Exception):
    """An input is not kept as a sample; the text says why."""


class Samples:
    """Keeps the inputs of dry runs, and reads them."""

    def __init__(self, store: SampleStore, max_input_bytes: int) -> None:
        self._store = store
        self._max_input_bytes = max_input_bytes

    async def content(self, job: Job, fetched: Fetched) -> bytes:
        """Return the sample of what was fetched.

        Raises:
            SampleNotKept: it is too large, or has a secret that was sent to a source: the next reader would not know it.
        """
        size = sum(data.file.size for data in fetched.inputs.values())
        if size > MAX_SAMPLE_BYTES:
            raise SampleNotKept(f"its {size} bytes are more than the {MAX_SAMPLE_BYTES} of a sample")
        parts = [data.file.read() for data in fetched.inputs.values()]
        for part in parts if fetched.masker.secrets else ():
            if await _shows_secret(part, fetched.masker):
                raise SampleNotKept("it contains a secret that was sent to its source")
        sources = {
            name: {
                "request": _request_sha256(job.sources[name]),
                "charset": data.charset,
                "total_records": data.total_records,
                "notes": data.notes,
                "size": len(part),
            }
            for (name, data), part in zip(fetched.inputs.items(), parts, strict=True)
        }
        return b"".join([json.dumps(sources).encode(), b"\n", *parts])

    async def keep(self, name: str, content: bytes) -> None:
        """Store a sample.

        Raises:
            SampleNotKept: there is no room for it, or the broker does not answer.
        """
        try:
            await self._store.keep(name, pieces_of(BytesIO(content)))
        except _NOT_STORED as error:
            raise SampleNotKept(describe_error(error)) from None

    async def read(self, name: str, job: Job, inputs: RunInputs) -> Fetched:
        """Return a sample as if it had just been fetched, with a note that it was not.

        Raises:
            CannotFetch: the sample is not kept, is of other sources than the job's, or cannot be read.
        """
        try:
            entry = await self._store.find(name)
            if entry is None:
                raise SampleGone
            content = b"".join([piece async for piece in self._store.read(entry)])
        except ObjectChanged:
            raise SampleGone from None
        except BROKER_ERRORS as error:
            raise CannotFetch(f"the sample cannot be read: {describe_error(error)}") from None
        header, _, rest = content.partition(b"\n")
        sources: dict[str, Any] = json.loads(header)
        for changed in {
            *(sources.keys() ^ job.sources.keys()),
            *(
                one
                for one in sources.keys() & job.sources.keys()
                if sources[one]["request"] != _request_sha256(job.sources[one])
            ),
        }:
            which = "data_source" if changed == MAIN_SOURCE else f"source {changed!r}"
            raise SampleOfOtherSource(
                f"the {which} is not the one of the sample: leave out sample_id to fetch its data"
            )
        fetched: dict[str, Input] = {}
        for one, facts in sources.items():
            fetched[one] = self._input(facts, rest[: facts["size"]])
            inputs.add(one, job.sources[one], fetched[one])
            rest = rest[facts["size"] :]
        at = f"{entry.modified_at:%Y-%m-%d %H:%M:%S} UTC"
        next(iter(fetched.values())).notes.insert(0, f"nothing was fetched: this is the data of {at}")
        return Fetched(fetched)

    def _input(self, facts: dict[str, Any], content: bytes) -> Input:
        data = Input(ByteBudget(self._max_input_bytes))
        try:
            data.write(content)
            data.file.seal()
        except BaseException:
            data.file.close()
            raise
        data.charset, data.notes = facts["charset"], facts["notes"]
        data.total_records = facts.get("total_records")  # not in the samples of earlier versions
        return data


class PreviewInput:
    """The input of one dry run: a sample, or what is fetched and then kept as a sample while the script runs.

    Args:
        fetch: fetches the sources.
        headers: those of the request, which name the samples.
    """

    def __init__(self, fetch: Fetch, samples: Samples, headers: Mapping[str, str]) -> None:
        self._fetch = fetch
        self._samples = samples
        self._sample, self._keep_as = headers.get(PREVIEW_SAMPLE), headers.get(PREVIEW_KEEP_AS)
        self._keeping: asyncio.Task[None] | None = None
        self._why_not: str | None = None

    async def fetch(self, request: RunRequested, inputs: RunInputs) -> Fetched:
        """Return the input.

        Raises:
            CannotFetch: a source cannot be fetched, or the sample cannot be used.
        """
        if self._sample is not None:
            return await self._samples.read(self._sample, request.job, inputs)
        fetched = await self._fetch(request, inputs)
        if self._keep_as is not None:
            try:
                content = await self._samples.content(request.job, fetched)
                self._keeping = asyncio.create_task(self._samples.keep(self._keep_as, content))
            except SampleNotKept as error:
                self._why_not = str(error)
        return fetched

    async def kept(self) -> tuple[bool, tuple[Note, ...]]:
        """Return whether the input is kept as a new sample, and a note if it should be and is not."""
        if self._keeping is not None:
            try:
                await self._keeping
            except SampleNotKept as error:
                self._why_not = str(error)
        if self._why_not is None:
            return self._keeping is not None, ()
        return False, (Note(stage="fetch", text=shorten_note(f"the data is not kept as a sample: {self._why_not}")),)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})


async def _shows_secret(content: bytes, masker: Masker) -> bool:
    """Return whether data has one of the masker's secrets, in any form that it masks."""
    text = content.decode(errors="replace")
    for start in range(0, len(text), _SEARCHED_CHARS):
        piece = text[start : start + _SEARCHED_CHARS + _LONGEST_SECRET_CHARS]
        if masker.mask(piece) != piece:
            return True
        await asyncio.sleep(0)  # a search holds the event loop
    return False


def _request_sha256(source: DataSource) -> str:
    """Return the digest of what decides which bytes a source gives."""
    reading = _READING if source.pagination is None else _READING - _JOINING
    fields = source.model_dump(mode="json", exclude=set(reading))
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
