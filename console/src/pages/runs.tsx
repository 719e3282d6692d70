import { client, data, type Run, type RunStatus } from "../api/client.ts";
import { BulkBar, useSelection } from "../components/bulk.tsx";
import { ChoiceFilter, ClearFilters, TextFilter, TimeFilter, useFilters } from "../components/filters.tsx";
import { ListCard, type Page as ListPage, useList } from "../components/list.tsx";
import { Page } from "../components/page.tsx";
import { RunTable } from "../components/run-table.tsx";
import { Empty } from "../components/states.tsx";
import { requestRun } from "../store/actions.ts";
import type { LogEvent } from "../store/events.ts";
import { foldRun, statusAfter } from "../store/fold.ts";
import { STATES } from "../words/status.ts";

const FILTERS: RunStatus[] = [
  "failed",
  "undelivered",
  "delivered",
  "running",
  "requested",
  "processed",
  "skipped",
  "cancelled",
];

function fold(page: ListPage<Run>, event: LogEvent): ListPage<Run> {
  const at = page.items.findIndex((run) => run.run_id === event.run_id);
  const folded = at === -1 ? undefined : foldRun(page.items[at], event);
  return folded === undefined ? page : { ...page, items: page.items.with(at, folded) };
}

/** Says whether an event adds a run to those with a status; without one, to all. */
function begins({ type, data }: LogEvent, status: RunStatus | undefined): boolean {
  const isNew = type === "run-requested" || type === "run-skipped";
  if (status === undefined || status === "requested")
    return isNew && (status === undefined || type === "run-requested");
  return statusAfter("requested", type, data) === status;
}

export function RunsPage() {
  const filters = useFilters(["status", "job", "since", "until"]);
  const { job, since, until } = filters.current;
  const status = FILTERS.find((one) => one === filters.current.status);
  const key = `runs ${JSON.stringify([status, job, since, until])}`;
  const list = useList<Run>(
    key,
    (wanted, signal) => {
      const query = {
        ...wanted,
        ...(status ? { status } : {}),
        ...(job ? { job_name: job } : {}),
        ...(since ? { since } : {}),
        ...(until ? { until } : {}),
      };
      return data(client.GET("/runs", { params: { query }, signal }));
    },
    {
      fold,
      added: (event) => {
        const isMine = event.run_id !== null && (!job || event.job_name === job) && until === undefined;
        return isMine && begins(event, status) ? [event.run_id as string] : [];
      },
      idOf: ({ run_id }) => run_id,
    },
  );
  const { isFiltered } = filters;
  const selection = useSelection(list.items.map(({ run_id }) => run_id));
  const chosen = list.items.filter(({ run_id }) => selection.has(run_id));
  return (
    <Page title="Runs">
      <ListCard
        list={list}
        noun="run"
        filters={
          <>
            <TextFilter label="Job, by its whole name" value={job} onSet={(value) => filters.set({ job: value })} />
            <ChoiceFilter
              label="State"
              value={status}
              choices={[["", "all states"], ...FILTERS.map((one) => [one, STATES[one].word] as const)]}
              onSet={(value) => filters.set({ status: value })}
            />
            <TimeFilter label="From" value={since} onSet={(value) => filters.set({ since: value })} />
            <TimeFilter label="Until" value={until} onSet={(value) => filters.set({ until: value })} />
            <ClearFilters filters={filters} />
          </>
        }
        empty={
          <Empty title={isFiltered ? "Nothing matches." : "Nothing has run yet."}>
            {isFiltered
              ? "Clear the filters to see every run."
              : "A run appears here as soon as a job is due, or is run by hand."}
          </Empty>
        }
      >
        <BulkBar
          selection={selection}
          many={list.items.length}
          jobs={[...new Set(chosen.map(({ job_name }) => job_name))]}
          actions={[{ word: "Run their jobs again", done: "Asked for a run of", act: requestRun }]}
        />
        <RunTable runs={list.items} caption="Runs, newest first" selection={selection} />
      </ListCard>
    </Page>
  );
}
