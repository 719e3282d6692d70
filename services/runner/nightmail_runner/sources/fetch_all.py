"""Fetches the sources of a job, some at a time, and collects the facts about them for the run's event."""

import asyncio
from dataclasses import dataclass, field

from nightmail_common.broker import tracing
from nightmail_common.contract.events import Note, RunRequested
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.limits import MAX_FETCH_NOTES, MAX_FETCHES_AT_ONCE
from nightmail_common.contract.source_types import MAIN_SOURCE, of_source
from nightmail_runner.kept_inputs import RunInputs
from nightmail_runner.sources.conditional import KeptAnswers, may_be_conditional
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.fetch import Fetcher, named_times
from nightmail_runner.sources.input import Input, shorten_note
from nightmail_runner.sources.masking import Masker
from nightmail_runner.template_times import TemplateTimes


@dataclass(frozen=True)
class Fetched:
    """The inputs of a run by the names of their sources, the job's `data_source` first; none if it could not be fetched."""

    inputs: dict[str, Input] = field(default_factory=dict)

    @property
    def main(self) -> Input:
        return self.inputs[MAIN_SOURCE]

    @property
    def masker(self) -> Masker:
        """Masks the secrets that were sent to any of the sources."""
        if len(self.inputs) == 1:
            return self.main.masker
        return Masker(secret for data in self.inputs.values() for secret in data.masker.secrets)

    @property
    def sha256(self) -> str:
        return self.main.sha256() if self.inputs else ""

    @property
    def more_sha256(self) -> dict[str, str]:
        """The digests of `more_sources`, by name."""
        return {name: data.sha256() for name, data in self.inputs.items() if name != MAIN_SOURCE}

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes of all fetches, as many as an event can hold."""
        texts = [of_source(name, text) for name, data in self.inputs.items() for text in data.notes]
        return tuple(Note(stage="fetch", text=shorten_note(text)) for text in texts[:MAX_FETCH_NOTES])


async def fetch_all(
    fetcher: Fetcher, times: TemplateTimes, answers: KeptAnswers, request: RunRequested, inputs: RunInputs
) -> Fetched:
    """Fetch the sources of a run's job, `MAX_FETCHES_AT_ONCE` at a time, and add each to `inputs`, which owns them.

    The first failure ends the other fetches. What has been fetched by then is in `inputs`, in the order of the job.

    Raises:
        CannotFetch: a source cannot be fetched, or all together are larger than one may be. The message names it.
    """
    fetched: dict[str, Input] = {}
    job = request.job
    conditional = {name for name, source in job.sources.items() if inputs.keeps and may_be_conditional(source)}
    kept = await answers.find(job) if conditional else {}
    budget = fetcher.budget()
    turns = asyncio.Semaphore(MAX_FETCHES_AT_ONCE)

    async def fetch(name: str, source: DataSource) -> None:
        async with turns:
            of_run = await times.of(request, named_times(source))
            memory = answers.memory(job, source, of_run, kept.get(name)) if name in conditional else None
            try:
                with tracing.span("fetch", nightmail__source_type=source.source_type):
                    fetched[name] = await fetcher.fetch(source, of_run, budget=budget, memory=memory)
            except CannotFetch as error:
                raise CannotFetch(of_source(name, str(error))) from error

    try:
        async with asyncio.TaskGroup() as tasks:
            for name, source in job.sources.items():
                tasks.create_task(fetch(name, source))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        in_order = {name: fetched[name] for name in job.sources if name in fetched}
        for name, data in in_order.items():
            inputs.add(name, job.sources[name], data)
    return Fetched(in_order)
