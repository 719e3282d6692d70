"""Runs: list, read, wait for, cancel and resend them; their results and logs."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, cast

from nightmail_client.blocking.transport import Calls
from nightmail_client.errors import NotThere, RunTimeout
from nightmail_client.records import (
    UNFINISHED,
    DayRecord,
    ResentMailRecord,
    RowsRecord,
    RunDetails,
    RunRecord,
    RunStatus,
    SliceRecord,
)
from nightmail_client.requests import job_path, without_none

#: The poll interval grows with the time waited: short runs are polled often, long ones seldom.
SHORTEST_POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 1.0
#: The length of a whole run id, such as 01a2146e-756b-7371-831f-e62bc6de4f5b.
_RUN_ID_CHARS = 36


class RunCalls(Calls):
    """The calls about runs. Every run id may be cut to a unique beginning."""

    def list(
        self,
        *,
        job_name: str | None = None,
        status: RunStatus | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int | None = None,
    ) -> Iterator[RunRecord]:
        """Yield runs, the newest first.

        Args:
            since, until: bounds of the time of the request, ISO 8601 with an offset.

        Raises:
            NotThere: there is no such job.
        """
        path = "/runs" if job_name is None else job_path(job_name, "runs")
        return self._transport.pages(RunRecord, path, limit, status=status, since=since, until=until)

    def days(
        self,
        since: str | None = None,
        until: str | None = None,
        *,
        job_name: str | None = None,
        group_by: Literal["job", "day"] = "job",
        limit: int | None = None,
    ) -> Iterator[DayRecord]:
        """Yield counters of runs and mails by day and job, the first day first.

        Args:
            since, until: the first and the last day in UTC, `2026-11-25`.
            group_by: `day` for one item a day, over all jobs together.
        """
        query = {"from": since, "until": until, "job_name": job_name, "group_by": group_by}
        return self._transport.pages(DayRecord, "/stats/days", limit, **query)

    def get(self, run_id: str) -> RunDetails:
        """Return a run with its timeline."""
        return self._transport.json(RunDetails, "GET", f"/runs/{self.whole_id(run_id)}")

    def whole_id(self, prefix: str) -> str:
        """Return the id of the one run whose id begins so.

        Raises:
            NotThere: no run does, or several do.
        """
        if len(prefix) == _RUN_ID_CHARS:
            return prefix
        answer = self._transport.send("GET", "/runs", params={"id_prefix": prefix, "limit": "3"})
        found = [run["run_id"] for run in answer.json()["items"]]
        if not found:
            raise NotThere(f"there is no run whose id begins with {prefix}")
        if len(found) > 1:
            raise NotThere(f"several runs have an id that begins with {prefix}: {', '.join(found)}; give more of it")
        return str(found[0])

    def wait(
        self,
        run_id: str,
        *,
        timeout_seconds: float | None = None,
        on_look: Callable[[RunDetails, float], None] | None = None,
    ) -> RunDetails:
        """Return a run once it has ended: delivered, failed, undelivered, skipped or cancelled.

        Args:
            on_look: called with the unfinished run and the seconds waited, each time that it is read.

        Raises:
            RunTimeout: it has not ended in time.
        """
        run_id = self.whole_id(run_id)
        started = time.monotonic()
        while True:
            run = self.get(run_id)
            if run["status"] not in UNFINISHED:
                return run
            waited = time.monotonic() - started
            if on_look is not None:
                on_look(run, waited)
            if timeout_seconds is not None and waited >= timeout_seconds:
                raise RunTimeout(f"the run {run_id} is {run['status']} after {waited:.0f} s")
            time.sleep(min(max(waited / 10, SHORTEST_POLL_SECONDS), LONGEST_POLL_SECONDS))

    def result(self, run_id: str) -> bytes:
        """Return the CSV of a run: the very bytes that were mailed."""
        return (self._transport.send("GET", f"/runs/{self.whole_id(run_id)}/result")).content

    def rows(
        self,
        run_id: str,
        *,
        limit: int | None = None,
        offset: int = 0,
        sort: str | None = None,
        cells: Literal["values", "texts"] = "values",
    ) -> RowsRecord:
        """Return rows of a result, with the types of its columns.

        Args:
            limit: at most 1,000; a page of large rows has fewer.
            sort: a column; with a hyphen in front of it, the largest values first.
            cells: `values` by the types of the columns, or `texts` as the CSV has them: `10.50`.
        """
        query = without_none(limit=limit, offset=offset, sort=sort, cells=cells)
        return self._transport.json(RowsRecord, "GET", f"/runs/{self.whole_id(run_id)}/rows", params=query)

    def mail(self, run_id: str, part: Literal["html", "text"] = "html") -> str:
        """Return the mail of a run as recipients see it."""
        path = f"/runs/{self.whole_id(run_id)}/mail"
        return (self._transport.send("GET", path, params={"part": part})).text

    def figure(self, run_id: str, number: int) -> bytes:
        """Return a chart of a run as PNG; the first one is 1."""
        return (self._transport.send("GET", f"/runs/{self.whole_id(run_id)}/figures/{number}")).content

    def slices(self, run_id: str) -> Sequence[SliceRecord]:
        """Return the slices of a result that is split, in the order of the first row of each."""
        answer = self._transport.send("GET", f"/runs/{self.whole_id(run_id)}/slices")
        return cast("Sequence[SliceRecord]", answer.json()["items"])

    def input(self, run_id: str, source: str = "data") -> bytes:
        """Return what a run has read from a source, as the source sent it. The job's `data_source` is `data`.

        Raises:
            NotThere: the run has no such source, or its input is not kept (any longer).
        """
        path = f"/runs/{self.whole_id(run_id)}/input"
        return (self._transport.send("GET", path, params={"source": source})).content

    def log(self, run_id: str) -> str:
        """Return what the script of a run printed."""
        return (self._transport.send("GET", f"/runs/{self.whole_id(run_id)}/log")).text

    def cancel(self, run_id: str) -> str:
        """Cancel a queued or running run, and return its id.

        Raises:
            NameTaken: it has ended.
        """
        answer = self._transport.send("POST", f"/runs/{self.whole_id(run_id)}/cancel")
        return str(answer.json()["run_id"])

    def resend(
        self,
        run_id: str,
        recipients: Sequence[str] | None = None,
        *,
        split_value: str | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Mail a run's kept result again, to all its recipients or to some; return the id of the request.

        Args:
            split_value: of the one slice to send, of a result that is split.
        """
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        body: dict[str, object] = {} if recipients is None else {"recipients": [*recipients]}
        if split_value is not None:
            body["split_value"] = split_value
        path = f"/runs/{self.whole_id(run_id)}/resend"
        return str((self._transport.send("POST", path, json=body, headers=headers)).json()["request_id"])

    def resend_undelivered(self, since: str, *, job_name: str | None = None) -> Sequence[ResentMailRecord]:
        """Mail again what the server refused since a time, to those who did not get it. A repeated call sends nothing twice."""
        items: list[ResentMailRecord] = []
        body: dict[str, object] = {"undelivered_since": since, "job_name": job_name}
        while True:
            answer = (self._transport.send("POST", "/runs/resend", json=body)).json()
            items += answer["items"]
            if answer["next_cursor"] is None:
                return items
            body["cursor"] = answer["next_cursor"]

    def diff(self, run_id: str, other_run_id: str, key: Sequence[str] = ()) -> dict[str, Any]:
        """Return what differs between the results of two runs, by key columns or as a multiset of rows."""
        ids = [self.whole_id(one) for one in (run_id, other_run_id)]
        return self._transport.json(dict[str, Any], "GET", f"/runs/{ids[0]}/diff/{ids[1]}", params={"key": list(key)})
