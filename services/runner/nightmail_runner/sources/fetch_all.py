"""Fetches every source of a job, one after the other, and keeps what the run's event says of them."""

from dataclasses import dataclass, field

from nightmail_common.broker import tracing
from nightmail_common.contract.events import Note, RunRequested
from nightmail_common.contract.limits import MAX_FETCH_NOTES
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
    """Fetch the sources of a run's job, and add each to `inputs`, which owns them.

    Raises:
        CannotFetch: a source cannot be fetched, or all together are larger than one may be. The message names it.
    """
    fetched: dict[str, Input] = {}
    job = request.job
    conditional = {name for name, source in job.sources.items() if inputs.keeps and may_be_conditional(source)}
    kept = await answers.find(job) if conditional else {}
    for name, source in job.sources.items():
        of_run = await times.of(request, named_times(source))
        taken_bytes = sum(data.file.size for data in fetched.values())
        memory = answers.memory(job, source, of_run, kept.get(name)) if name in conditional else None
        try:
            with tracing.span("fetch", nightmail__source_type=source.source_type):
                data = await fetcher.fetch(source, of_run, taken_bytes=taken_bytes, memory=memory)
        except CannotFetch as error:
            raise CannotFetch(of_source(name, str(error))) from error
        inputs.add(name, source, data)
        fetched[name] = data
    return Fetched(fetched)
