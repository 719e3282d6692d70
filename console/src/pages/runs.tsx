import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { client, data, type Run, type RunStatus } from "../api/client.ts";
import { Button } from "../components/button.tsx";
import { Card, Page } from "../components/page.tsx";
import { type Page as ListPage, PAGE, useMore } from "../components/paging.ts";
import { RunTable } from "../components/run-table.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { onEvents } from "../store/events.ts";
import { foldRun } from "../store/fold.ts";
import { useResource } from "../store/resource.ts";
import { count } from "../words/format.ts";
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

export function RunsPage() {
  const { query, route } = useLocation();
  const status = FILTERS.find((one) => one === query.status);
  const { job, since, until } = query;
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
  const runs = useResource<ListPage<Run>>(key, load, {
    fold: (page, event) => {
      const at = page.items.findIndex((run) => run.run_id === event.run_id);
      const folded = at === -1 ? undefined : foldRun(page.items[at], event);
      return folded === undefined ? page : { ...page, items: page.items.with(at, folded) };
    },
  });
  const more = useMore(runs.data.value, (cursor) => load(null, cursor), key);
  const fresh = useNewRuns(key, job);
  const filter = (change: Record<string, string>) => {
    const wanted = Object.entries({ status, job, since, until, ...change }).filter(([, value]) => value) as [
      string,
      string,
    ][];
    const search = new URLSearchParams(wanted).toString();
    route(`/console/runs${search && `?${search}`}`, true);
  };
  const isFiltered = Boolean(status || job || since || until);
  return (
    <Page title="Runs">
      <Card>
        <search class="filters">
          <input
            type="search"
            aria-label="Job, by its whole name"
            placeholder="Job, by its whole name"
            value={job ?? ""}
            onChange={(event) => filter({ job: event.currentTarget.value })}
          />
          <select
            aria-label="State"
            value={status ?? ""}
            onChange={(event) => filter({ status: event.currentTarget.value })}
          >
            <option value="">all states</option>
            {FILTERS.map((one) => (
              <option key={one} value={one}>
                {STATES[one].word}
              </option>
            ))}
          </select>
          {isFiltered ? (
            <button type="button" class="button plain" onClick={() => route("/console/runs", true)}>
              Clear filters
            </button>
          ) : null}
        </search>
        {fresh.ids.size === 0 ? null : (
          <button
            type="button"
            class="fresh"
            onClick={() => {
              fresh.clear();
              runs.reload();
            }}
          >
            ↑ {count(fresh.ids.size, "new run")}
          </button>
        )}
        <Loaded of={runs}>
          {() =>
            more.items.length > 0 ? (
              <RunTable runs={more.items} caption="Runs, newest first" />
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

/** Collects the runs that were requested since the list was loaded. */
function useNewRuns(key: string, job: string | undefined) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    setIds(new Set());
    return onEvents((events) => {
      const asked = events.filter(({ type, job_name }) => type === "run-requested" && (!job || job_name === job));
      if (asked.length > 0) setIds((before) => new Set([...before, ...asked.map(({ run_id }) => run_id ?? "")]));
    });
  }, [key]);
  return { ids, clear: () => setIds(new Set()) };
}
