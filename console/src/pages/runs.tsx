import { client, data, type Run, type RunStatus } from "../api/client.ts";
import { BulkBar, useSelection } from "../components/bulk.tsx";
import { Button } from "../components/button.tsx";
import { ChoiceFilter, ClearFilters, TextFilter, useFilters } from "../components/filters.tsx";
import { FreshRows, useFresh } from "../components/fresh.tsx";
import { Card, Page } from "../components/page.tsx";
import { type Page as ListPage, PAGE, useMore } from "../components/paging.ts";
import { RunTable } from "../components/run-table.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { requestRun } from "../store/actions.ts";
import type { LogEvent } from "../store/events.ts";
import { foldRun } from "../store/fold.ts";
import { useResource } from "../store/resource.ts";
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

export function RunsPage() {
  const filters = useFilters(["status", "job", "since", "until"]);
  const { job, since, until } = filters.current;
  const status = FILTERS.find((one) => one === filters.current.status);
  const key = `runs ${JSON.stringify([status, job, since, until])}`;
  const load = (signal: AbortSignal | null, cursor?: string) =>
    data(
      client.GET("/runs", {
        params: {
          query: {
            limit: PAGE,
            ...(status ? { status } : {}),
            ...(job ? { job_name: job } : {}),
            ...(since ? { since } : {}),
            ...(until ? { until } : {}),
            ...(cursor ? { cursor } : {}),
          },
        },
        signal,
      }),
    );
  // Rows change in place. New ones wait behind a button, so that nothing moves under the pointer.
  const runs = useResource<ListPage<Run>>(key, load, { fold });
  const more = useMore(runs.data.value, (cursor) => load(null, cursor), key, fold);
  const fresh = useFresh(key, ({ type, job_name, run_id }) =>
    type === "run-requested" && (!job || job_name === job) ? (run_id ?? undefined) : undefined,
  );
  const { isFiltered } = filters;
  const selection = useSelection(more.items.map(({ run_id }) => run_id));
  const chosen = more.items.filter(({ run_id }) => selection.has(run_id));
  return (
    <Page title="Runs">
      <Card>
        <search class="filters">
          <TextFilter label="Job, by its whole name" value={job} onSet={(value) => filters.set({ job: value })} />
          <ChoiceFilter
            label="State"
            value={status}
            choices={[["", "all states"], ...FILTERS.map((one) => [one, STATES[one].word] as const)]}
            onSet={(value) => filters.set({ status: value })}
          />
          <ClearFilters filters={filters} />
        </search>
        <FreshRows fresh={fresh} noun="run" onShow={() => runs.reload()} />
        <Loaded of={runs}>
          {() =>
            more.items.length > 0 ? (
              <>
                <BulkBar
                  selection={selection}
                  many={more.items.length}
                  jobs={[...new Set(chosen.map(({ job_name }) => job_name))]}
                  actions={[{ word: "Run their jobs again", done: "Asked for a run of", act: requestRun }]}
                />
                <RunTable runs={more.items} caption="Runs, newest first" selection={selection} />
              </>
            ) : (
              <Empty title={isFiltered ? "Nothing matches." : "Nothing has run yet."}>
                {isFiltered
                  ? "Clear the filters to see every run."
                  : "A run appears here as soon as a job is due, or is run by hand."}
              </Empty>
            )
          }
        </Loaded>
        {more.next === undefined ? null : (
          <div class="card-foot">
            <Button onAct={more.next}>More</Button>
          </div>
        )}
      </Card>
    </Page>
  );
}
