"""Jobs: create, change, read, run and preview them."""

from collections.abc import AsyncIterator
from typing import Literal, cast

from nightmail_client.asynchronous.transport import AsyncCalls
from nightmail_client.records import (
    JobRecord,
    JobRequest,
    PreviewRecord,
    SummaryRecord,
    VersionRecord,
    VersionWithJobRecord,
)
from nightmail_client.requests import if_match, job_path

JobSort = Literal["name", "next_run", "last_run"]


class AsyncJobCalls(AsyncCalls):
    """The calls about jobs."""

    def list(
        self,
        *,
        q: str | None = None,
        status: str | None = None,
        sort: JobSort = "name",
        failing: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[JobRecord]:
        """Yield the jobs; `q` is a part of the name, `failing` leaves those whose last run failed or was not delivered."""
        only = "true" if failing else None
        return self._transport.pages(JobRecord, "/jobs", limit, q=q, status=status, sort=sort, failing=only)

    def summaries(
        self,
        *,
        q: str | None = None,
        status: str | None = None,
        sort: JobSort = "name",
        failing: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[SummaryRecord]:
        """Yield the same jobs without their scripts, with what became of the last runs of each."""
        only = "true" if failing else None
        query = {"q": q, "status": status, "sort": sort, "failing": only, "view": "summary"}
        return self._transport.pages(SummaryRecord, "/jobs", limit, **query)

    async def get(self, job_name: str) -> JobRecord:
        """Return a job."""
        return (await self.get_with_etag(job_name))[0]

    async def get_with_etag(self, job_name: str) -> tuple[JobRecord, str]:
        """Return a job, and the ETag with which `update` refuses to overwrite a later change."""
        answer = await self._transport.send("GET", job_path(job_name))
        return cast("JobRecord", answer.json()), answer.headers["ETag"]

    async def create(self, job: JobRequest) -> JobRecord:
        """Create a job.

        Raises:
            NameTaken: a job of this name exists.
        """
        return await self._transport.json(JobRecord, "POST", "/jobs/create", json=job)

    async def update(self, job_name: str, job: JobRequest, *, etag: str | None = None) -> JobRecord:
        """Replace a job's definition; with `etag` only if nobody changed it since.

        Raises:
            JobChanged: somebody did.
        """
        return await self._transport.json(JobRecord, "PUT", job_path(job_name), json=job, headers=if_match(etag))

    async def delete(self, job_name: str, *, erase: bool = False, etag: str | None = None) -> None:
        """Delete a job; with `erase` its history, results and addresses, too, for ever."""
        query = {"erase": "true"} if erase else None
        await self._transport.send("DELETE", job_path(job_name), params=query, headers=if_match(etag))

    async def pause(self, job_name: str) -> JobRecord:
        """Pause a job: its due times give no runs."""
        return await self._transport.json(JobRecord, "POST", job_path(job_name, "pause"))

    async def resume(self, job_name: str) -> JobRecord:
        """Resume a paused job."""
        return await self._transport.json(JobRecord, "POST", job_path(job_name, "resume"))

    async def run(self, job_name: str, *, idempotency_key: str | None = None) -> str:
        """Run a job now, and return the run's id; a key makes a retry safe."""
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        answer = await self._transport.send("POST", job_path(job_name, "run"), headers=headers)
        return str(answer.json()["run_id"])

    async def preview(
        self, job: JobRequest, *, sample_id: str | None = None, send_to: str | None = None
    ) -> PreviewRecord:
        """Fetch the data and run the script of an unsaved job; its recipients get no mail.

        Args:
            sample_id: of an earlier preview within the hour; its data is used and nothing is fetched.
            send_to: mail the result once, to this address.
        """
        options = {"sample_id": sample_id, "send_to": send_to}
        body = {**job, **{name: value for name, value in options.items() if value is not None}}
        return await self._transport.json(PreviewRecord, "POST", "/jobs/preview", json=body)

    def versions(self, job_name: str, *, limit: int | None = None) -> AsyncIterator[VersionRecord]:
        """Yield the versions of a job, the newest first, with what each changed."""
        return self._transport.pages(VersionRecord, job_path(job_name, "versions"), limit)

    async def version(self, job_name: str, version: int) -> VersionWithJobRecord:
        """Return one version of a job, with the job as it was."""
        return await self._transport.json(VersionWithJobRecord, "GET", job_path(job_name, "versions", str(version)))

    async def roll_back(self, job_name: str, version: int) -> JobRecord:
        """Restore the definition of an earlier version, as a new version."""
        return await self._transport.json(JobRecord, "POST", job_path(job_name, "rollback"), json={"version": version})
