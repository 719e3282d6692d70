import { useLocation } from "preact-iso/router";
import { type JobSummary, listJobs } from "../api/client.ts";
import { BulkBar, useSelection } from "../components/bulk.tsx";
import { Button } from "../components/button.tsx";
import { changesJobs, JobTable } from "../components/job-table.tsx";
import { ListCard, type Page as ListPage, useList } from "../components/list.tsx";
import { Page } from "../components/page.tsx";
import { Empty } from "../components/states.tsx";
import { requestPause, requestResume, requestRun } from "../store/actions.ts";
import type { LogEvent } from "../store/events.ts";
import { foldJob } from "../store/fold.ts";

type StatusFilter = "active" | "paused";

function fold(page: ListPage<JobSummary>, event: LogEvent): ListPage<JobSummary> {
  const at = page.items.findIndex((job) => job.job_name === event.job_name);
  const job = page.items[at];
  if (job === undefined) return page;
  const folded = foldJob(job, event);
  if (folded === job) return page;
  return { ...page, items: folded === null ? page.items.toSpliced(at, 1) : page.items.with(at, folded) };
}

export function JobsPage() {
  const { query, route } = useLocation();
  const q = query.q ?? "";
  const status = query.status === "active" || query.status === "paused" ? query.status : undefined;
  const failing = query.failing === "true";
  const key = `jobs ${status ?? ""} ${failing} ${q}`;
  const list = useList<JobSummary>(
    key,
    (wanted, signal) =>
      listJobs(
        { ...wanted, ...(q ? { q } : {}), ...(status ? { status } : {}), ...(failing ? { failing } : {}) },
        signal,
      ),
    { fold, touches: changesJobs },
  );
  const selection = useSelection(list.items.map(({ job_name }) => job_name));
  const filter = (change: { q?: string; status?: string; failing?: string }) => {
    const wanted = Object.entries({ q, status: status ?? "", failing: failing ? "true" : "", ...change }).filter(
      ([, value]) => value !== "",
    );
    const search = new URLSearchParams(wanted).toString();
    route(`/console/jobs${search && `?${search}`}`, true);
  };
  return (
    <Page
      title="Jobs"
      actions={
        <span data-key="n">
          <Button kind="primary" need="edit" onAct={() => route("/console/jobs/new")}>
            New report
          </Button>
        </span>
      }
    >
      <ListCard
        list={list}
        noun="job"
        filters={
          <>
            <input
              type="search"
              aria-label="Search by name"
              placeholder="Search by name"
              value={q}
              onInput={(event) => filter({ q: event.currentTarget.value })}
            />
            <select
              aria-label="Status"
              value={status ?? ""}
              onChange={(event) => filter({ status: event.currentTarget.value as StatusFilter | "" })}
            >
              <option value="">all</option>
              <option value="active">active</option>
              <option value="paused">paused</option>
            </select>
            <label class="check">
              <input
                type="checkbox"
                checked={failing}
                onChange={(event) => filter({ failing: event.currentTarget.checked ? "true" : "" })}
              />
              only failing
            </label>
          </>
        }
        empty={
          q || status || failing ? (
            <Empty title="No job matches.">
              <button type="button" class="button plain" onClick={() => route("/console/jobs", true)}>
                Clear filters
              </button>
            </Empty>
          ) : (
            <Empty title="No reports yet.">
              <a href="/console/jobs/new">Make the first one here</a>, or with <code>nightmail jobs new</code>.
            </Empty>
          )
        }
      >
        <BulkBar
          selection={selection}
          many={list.items.length}
          jobs={selection.chosen}
          actions={[
            { word: "Run", done: "Asked for a run of", act: requestRun },
            { word: "Pause", done: "Paused", act: requestPause },
            { word: "Resume", done: "Resumed", act: requestResume },
          ]}
        />
        <JobTable jobs={list.items} caption="Jobs" selection={selection} />
      </ListCard>
    </Page>
  );
}
