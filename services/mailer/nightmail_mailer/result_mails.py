"""The mail with a result: its files are read from the store, and rendered in the forms that may fit the server."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from nightmail_common.broker.results import ResultStore
from nightmail_common.contract.events import ResultReady
from nightmail_mailer.compose.attachment import Attachment, zip_files
from nightmail_mailer.compose.figures import choose_parts
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer, RenderFor, result_file_stem
from nightmail_mailer.compose.renditions import Renditions
from nightmail_mailer.smtp.client import SmtpClient

#: Up to this size the server's SIZE is not asked for, and a mail is rendered in the event loop (a millisecond).
SMALL_BYTES = 256 * 1024


class ResultMails:
    """Reads and renders the mails of results.

    Args:
        advice: what would let a mail be smaller that is too large for the server and has no link.
    """

    def __init__(
        self, results: ResultStore, renderer: MailRenderer, smtp: SmtpClient, max_attachment_bytes: int, advice: str
    ) -> None:
        self.results = results
        self._renderer = renderer
        self._smtp = smtp
        self._max_attachment_bytes = max_attachment_bytes
        self._advice = advice

    async def read(self, event: ResultReady) -> tuple[bytes, list[Attachment], list[bytes]]:
        """Return the CSV, the attached files and the figures of a result."""
        csv = await self.results.get(event.csv)
        files = await self._files(event, csv)
        return csv, files, [await self.results.get(figure.blob) for figure in event.figures]

    async def _files(self, event: ResultReady, csv: bytes) -> list[Attachment]:
        """Return the files that the job asks for; the CSV if the event has no other."""
        others = [one for one in event.attachments if one.format in event.job.attachments]
        files = [Attachment(await self.results.get(one.blob), one.format) for one in others]
        return [Attachment(csv), *files] if "csv" in event.job.attachments or not files else files

    async def render(
        self, mail_job: MailJob, event: ResultReady, csv: bytes, files: Sequence[Attachment], images: Sequence[bytes]
    ) -> Renditions:
        limit, has_link = self._max_attachment_bytes, self._renderer.links is not None
        stem = result_file_stem(event, mail_job.split_value)
        render = partial(self._renderer.result, mail_job, event, csv)
        choose = partial(choose_parts, files, images, name=stem, has_link=has_link)
        if sum(map(len, images)) + sum(len(file.data) for file in files) + len(csv) <= SMALL_BYTES:
            parts = choose(limit)
            first = render(*parts)
        else:
            if (server_limit := await self._smtp.max_mail_bytes()) is not None:
                limit = min(limit, server_limit)
            # Large files take longer to compress and to encode than the heartbeats may pause.
            parts = await asyncio.to_thread(choose, limit)
            first = await asyncio.to_thread(render, *parts)

        def render_packed(pictures: Sequence[bytes]) -> RenderFor:
            return render([zip_files(files, stem)], pictures)

        smaller: list[Callable[[], RenderFor]] = []
        attachments, shown = parts
        for pictures in (shown, ()) if shown else ((),):
            if pictures is not shown:
                smaller.append(partial(render, attachments))
            if attachments and attachments[0].format != "zip":
                smaller.append(partial(render_packed, pictures))
        if attachments and has_link:
            smaller.append(partial(render, ()))
        too_large = "the mail is too large for the server, compressed too"
        if not has_link:
            too_large += f"; {self._advice}"
        return Renditions(first, *smaller, too_large=too_large)
