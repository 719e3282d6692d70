"""The mails of a result that is split: one for each slice and recipient, and none twice, even if a mailer stops in between."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from nightmail_common.broker.results import ResultDamaged, ResultGone, ResultStore
from nightmail_common.contract.blob import Blob
from nightmail_common.contract.events import MailSkipReason, ResultReady
from nightmail_common.contract.split import SLICES, ResultSlice
from nightmail_mailer.compose.attachment import Attachment
from nightmail_mailer.compose.errors import CannotRender, JobWasDeleted
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.renditions import Renditions
from nightmail_mailer.delivery import Attempt, MailDelivery
from nightmail_mailer.records.log_record import Unsubscribes

#: Slices under way at a time: one split leaves connections to the mails of other jobs.
SLICES_AT_ONCE = 4
NOT_SPLIT = "not sent: the runner did not split the result; it is an older version than the mailer"

#: Takes the mail, the event, its CSV, the attachments and the images.
RenderResult = Callable[[MailJob, ResultReady, bytes, Sequence[Attachment], Sequence[bytes]], Awaitable[Renditions]]
SkipMail = Callable[[MailJob, MailSkipReason], Awaitable[None]]

logger = structlog.get_logger()


@dataclass(frozen=True)
class _Slice:
    """A slice, its bytes and its mail; the recipients of the mail are those who are to get it now."""

    mail_job: MailJob
    content: ResultSlice
    files: memoryview

    def file(self, format_: str) -> bytes | None:
        found = next((each for each in self.content.files if each.format == format_), None)
        return None if found is None else bytes(self.files[found.offset : found.offset + found.size])


@dataclass(frozen=True)
class _Tried:
    """A slice after the attempts of its mails: an attempt, or the reason why nobody gets it."""

    mail_job: MailJob
    sha256: str
    attempt: Attempt | None = None
    skipped: MailSkipReason | None = None


class SplitMails:
    """Mails the slices of a result.

    The delivery ledger has each mail before the next one goes. The events follow when every slice was tried, so that a
    run is `delivered` only then. A slice whose outcome is in the log is marked in the ledger, and not tried again.
    """

    def __init__(
        self,
        results: ResultStore,
        delivery: MailDelivery,
        unsubscribes: Unsubscribes,
        render: RenderResult,
        skip: SkipMail,
    ) -> None:
        self._results = results
        self._delivery = delivery
        self._unsubscribes = unsubscribes
        self._render = render
        self._skip = skip

    async def deliver(
        self,
        mail_job: MailJob,
        event: ResultReady,
        only_value: str | None = None,
        only_recipients: frozenset[str] | None = None,
    ) -> datetime | None:
        """Mail every slice, or that of one value, to all of its recipients or to some.

        Args:
            mail_job: of the whole result; its recipients are not used.

        Returns:
            None when the outcome of all slices is in the log, else the time of the next attempt.

        Raises:
            JobWasDeleted: the job was deleted before the first mail went.
            nats.errors.Error, TimeoutError: the log, the ledger or the store does not answer.
        """
        nobody = replace(mail_job, recipients=())
        if event.split is None:
            await self._delivery.fail(nobody, NOT_SPLIT)
            return None
        try:
            index = await self._results.get(event.split.index)
            files = memoryview(await self._results.get(event.split.files))
        except (ResultGone, ResultDamaged) as error:
            await self._delivery.fail(nobody, str(error))
            return None
        wanted = []
        for content in SLICES.validate_json(index):
            recipients = tuple(to for to in content.recipients if only_recipients is None or to in only_recipients)
            if recipients and only_value in {None, content.value}:
                of_slice = replace(mail_job, recipients=recipients, split_value=content.value)
                wanted.append(_Slice(of_slice, content, files))
        return await self._report_all(mail_job, len(wanted), await self._try_all(event, wanted))

    async def _try_all(self, event: ResultReady, slices: Sequence[_Slice]) -> list[_Tried]:
        """Try the slices whose outcome is not in the log."""
        places = asyncio.Semaphore(SLICES_AT_ONCE)

        async def try_one(one: _Slice) -> _Tried | None:
            async with places:
                if await self._delivery.is_settled(one.mail_job):
                    return None
                try:
                    return await self._try(event, one)
                except CannotRender as error:
                    await self._delivery.fail(one.mail_job, str(error))
                    return None

        tasks = [asyncio.create_task(try_one(one)) for one in slices]
        try:
            return [one for one in await asyncio.gather(*tasks) if one is not None]
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    async def _try(self, event: ResultReady, one: _Slice) -> _Tried:
        csv = one.file("csv")
        assert csv is not None  # the runner checks it
        others = [(format_, one.file(format_)) for format_ in event.job.attachments]
        attached = [Attachment(data, format_) for format_, data in others if data is not None] or [Attachment(csv)]
        sha256 = next(each.sha256 for each in one.content.files if each.format == attached[0].format)
        recipients = self._unsubscribes.subscribed(event.job.job_id, one.mail_job.recipients)
        if not recipients:
            return _Tried(one.mail_job, sha256, skipped="unsubscribed")
        mail_job = replace(one.mail_job, recipients=recipients)
        try:
            async with self._delivery.reporting_hold(mail_job):
                renditions = await self._render(mail_job, _event_of(event, one.content, csv), csv, attached, ())
                return _Tried(mail_job, sha256, await self._delivery.attempt(mail_job, renditions))
        except JobWasDeleted:
            return _Tried(mail_job, sha256, skipped="deleted")

    async def _report_all(self, mail_job: MailJob, slices: int, tried: Sequence[_Tried]) -> datetime | None:
        if tried and len(tried) == slices and all(one.skipped == "deleted" for one in tried):
            raise JobWasDeleted(mail_job.kind)
        # Skips come last: they decide the status of a run only if nothing else does.
        in_order = sorted(tried, key=lambda one: one.skipped is not None)
        waiting = [moment for one in in_order if (moment := await self._report(one)) is not None]
        logger.info("slices_mailed", slices=slices, tried=len(tried), waiting=len(waiting))
        return min(waiting, default=None)

    async def _report(self, tried: _Tried) -> datetime | None:
        if tried.attempt is not None:
            next_attempt = await self._delivery.report(tried.mail_job, tried.attempt, tried.sha256)
            if next_attempt is not None:
                return next_attempt
        elif tried.skipped is not None:
            await self._skip(tried.mail_job, tried.skipped)
        await self._delivery.settle(tried.mail_job)
        return None


def _event_of(event: ResultReady, content: ResultSlice, csv: bytes) -> ResultReady:
    """Return the event of a result that has the rows of one slice. Notes, log and figures can show the other rows."""
    of_slice = Blob(size=len(csv), sha256=content.files[0].sha256, data=csv)
    all_rows = {"attachments": (), "notes": (), "figures": (), "changes": None, "split": None, "log": ""}
    return event.model_copy(update={"rows": content.rows, "csv": of_slice, **all_rows})
