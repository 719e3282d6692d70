"""Mails as recipients see them: a mailer renders them, and the figures become part of the page."""

import base64
import csv
import hashlib
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from nats.aio.client import Client

from nightmail_api.access.quota import Quota
from nightmail_api.commands.mailer_requests import ask_mailer
from nightmail_api.http.problems import Gone, NotFound
from nightmail_api.read_model.results import Results
from nightmail_common.contract.blob import Blob, ResultFigure, ResultFile
from nightmail_common.contract.events import ResultReady, RunFailed, Timings
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.limits import MAX_API_RENDERINGS, MAX_RENDER_SECONDS, MAX_TOKEN_RENDERINGS
from nightmail_common.contract.result_parts import Runtime
from nightmail_common.contract.subjects import MAIL_RENDER

#: Longer than a mailer takes.
DEADLINE_SECONDS = MAX_RENDER_SECONDS + 10
_EMPTY = Blob(size=0, sha256=hashlib.sha256(b"").hexdigest(), data=b"")
#: A mail shows 40 characters of a cell; the request has to fit a message.
_CELL_CHARACTERS = 100
#: A figure in the HTML of a mail: its Content-ID begins with its name.
_FIGURE = re.compile(r"cid:figure-(\d+)\.[^\"'\s>]*")

RenderedMail = dict[str, str]


class RenderedMails:
    """Asks a mailer for the mail of a run or of a dry run, as a NATS request.

    Each method raises `NotReady` if no mailer answers, or it cannot render the mail.
    """

    def __init__(self, client: Client, results: Results) -> None:
        self._client = client
        self._results = results
        self._quota = Quota("rendered mails", MAX_TOKEN_RENDERINGS, MAX_API_RENDERINGS)

    async def of_run(self, run_id: str, caller: str) -> RenderedMail:
        """Return `subject`, `html` and `text` of the mail of a run: its result, or its failure.

        Raises:
            TooManyRequests: the caller, or all callers of this replica, have too many in progress.
            NotFound: there is no such run, or nothing of it is mailed.
            Gone: the result's time is over.
        """
        outcome = await self._results.outcome(run_id)
        if isinstance(outcome, RunFailed) and not outcome.job.notify_on_failure:
            raise NotFound(f"the run {run_id} mails nothing: it failed, and its job does not notify")
        if isinstance(outcome, ResultReady) and outcome.rows == 0 and outcome.job.when_empty == "skip":
            raise NotFound(f"the run {run_id} mails nothing: its result is empty")
        if not isinstance(outcome, ResultReady | RunFailed):
            raise NotFound(f"the run {run_id} has no mail: it has not ended, or was skipped or cancelled")
        with self._quota.hold(caller):
            mail = await self._ask({"sequence": await self._results.sequence(run_id)})
        numbers = sorted({int(number) for number in _FIGURE.findall(mail["html"])})
        images = {number: await self._results.figure(run_id, number) for number in numbers}
        return _with_figures(mail, {number: base64.b64encode(png).decode() for number, png in images.items()})

    async def of_preview(self, definition: JobDefinition, answer: dict[str, Any]) -> RenderedMail:
        """Return the mail of a dry run that has a result, from the columns, rows and figures of its answer."""
        figures = answer["figures"]
        event = _result(definition, answer)
        mail = await self._ask({"result": event.model_dump(mode="json")})
        return _with_figures(mail, {number: figure["png"] or "" for number, figure in enumerate(figures, 1)})

    async def _ask(self, request: dict[str, Any]) -> RenderedMail:
        mail: RenderedMail = await ask_mailer(self._client, MAIL_RENDER, request, DEADLINE_SECONDS, "render the mail")
        if "gone" in mail:
            raise Gone(mail["gone"])
        return mail


def _with_figures(mail: RenderedMail, images: dict[int, str]) -> RenderedMail:
    """Return a mail whose HTML has its images inside, as `data:` URLs (RFC 2397).

    Args:
        images: the PNGs in base64, by the number of the figure.
    """
    html = _FIGURE.sub(lambda found: f"data:image/png;base64,{images.get(int(found[1]), '')}", mail["html"])
    return mail | {"html": html}


def _result(definition: JobDefinition, answer: dict[str, Any]) -> ResultReady:
    """Return the result of a dry run as an event whose CSV is the first rows: a mail shows no more of them."""
    now = datetime.now(UTC)
    job = definition.new_job(now)
    head = _csv(answer["columns"], answer["first_rows"], job.csv.delimiter)
    figures = [
        ResultFigure(name=f"figure-{number}.png", alt=one["alt"], width=one["width"], height=one["height"], blob=_EMPTY)
        for number, one in enumerate(answer["figures"], 1)
    ]
    return ResultReady(
        job_name=job.job_name,
        run_id=uuid4(),
        job=job,
        trigger="manual",
        scheduled_at=now,
        rows=answer["rows"],
        columns=answer["columns"],
        text_columns=answer["text_columns"],
        csv=Blob(size=len(head), sha256=hashlib.sha256(head).hexdigest(), data=head),
        log="",
        timings=Timings.model_validate(answer["timings"]),
        input_sha256="",
        script_sha256="",
        runtime=Runtime(python="", pandas=""),
        notes=answer["notes"],
        attachments=tuple(ResultFile(format=one, blob=_EMPTY) for one in job.attachments if one != "csv"),
        figures=tuple(figures),
    )


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str) -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(
        [columns, *([cell[:_CELL_CHARACTERS] for cell in row] for row in rows)]
    )
    return written.getvalue().encode("utf-8", "replace")
