// Two runs of a job: which changed the result, the data or the script, and the way to what differs row by row.
import { client, data, loadRun, type Run, type RunDetail } from "../api/client.ts";
import { useResource } from "../store/resource.ts";
import { count, exactMoment } from "../words/format.ts";
import { Empty, Loaded } from "./states.tsx";

/** Earlier runs that are offered for a comparison. */
const OFFERED = 10;

export function diffHref(before: string, after: string, key: string[] = []): string {
  const query = new URLSearchParams(key.map((column) => ["key", column])).toString();
  return `/console/runs/${before}/diff/${after}${query && `?${query}`}`;
}

/** Says from the digests what made the results of two runs of a job differ. */
export function blame(before: RunDetail, after: RunDetail): string {
  const inputs = (run: RunDetail) => [run.input_sha256, ...Object.entries(run.more_inputs_sha256).sort().flat()];
  const known = [before, after].every((run) => run.script_sha256 !== null && run.input_sha256 !== null);
  const sameData = JSON.stringify(inputs(before)) === JSON.stringify(inputs(after));
  const sameScript = before.script_sha256 === after.script_sha256;
  if (before.result_sha256 !== null && before.result_sha256 === after.result_sha256) {
    const rest = !known || (sameData && sameScript) ? "" : sameData ? " The script changed." : " The data changed.";
    return `The results are the same, byte for byte.${rest}`;
  }
  if (!known) return "The results differ. The digests of one run are not known, so what changed them is not either.";
  const versions = `(version ${before.job_version} to ${after.job_version})`;
  if (sameData && sameScript) {
    const runtime = JSON.stringify(before.runtime) !== JSON.stringify(after.runtime);
    return runtime
      ? "Data and script are the same, but Python or a package has another version: that changed the result."
      : "Data and script are the same: the script's result depends on the time, on chance, or on a parameter.";
  }
  if (sameData) return `The data is the same. The script changed ${versions}: the difference is the script's.`;
  if (sameScript) return "The script is the same. The data changed: the difference is the data's.";
  return `Both the data and the script changed ${versions}.`;
}

interface Earlier {
  runs: Run[];
  /** The last one before this run, whole. */
  last: RunDetail | null;
}

/** The comparison of a run with the one before it, and links to those with earlier ones. */
export function CompareTab({ run, zone }: { run: RunDetail; zone: string | undefined }) {
  const earlier = useResource<Earlier>(`before ${run.run_id}`, async (signal) => {
    const query = { job_name: run.job_name, until: run.scheduled_at, limit: 50 };
    const { items } = await data(client.GET("/runs", { params: { query }, signal }));
    const runs = items.filter(({ run_id, rows }) => run_id !== run.run_id && rows !== null).slice(0, OFFERED);
    const [first] = runs;
    return { runs, last: first === undefined ? null : await loadRun(first.run_id, signal) };
  });
  if (run.rows === null) return <Empty title="This run has no result to compare." />;
  return (
    <Loaded of={earlier}>
      {({ runs, last }) =>
        last === null ? (
          <Empty title="No run before this one has a result." />
        ) : (
          <>
            <p class="explanation">{blame(last, run)}</p>
            <ul class="list">
              {runs.map((one, index) => (
                <li key={one.run_id}>
                  <span class="grow">
                    {index === 0 ? "With the run before, " : "With "}
                    {exactMoment(one.scheduled_at, zone)} <span class="soft">{count(one.rows ?? 0, "row")}</span>
                  </span>
                  <a class="button plain" href={diffHref(one.run_id, run.run_id)}>
                    Show what differs
                    <span class="visually-hidden"> from {exactMoment(one.scheduled_at, zone)}</span>
                  </a>
                </li>
              ))}
            </ul>
          </>
        )
      }
    </Loaded>
  );
}
