// The row counts of a job's last runs as a line; a failed run is a gap with a mark. The table has the same numbers.
import type { Run } from "../api/client.ts";
import { count, day, milliseconds, moment, number, zoneName } from "../words/format.ts";
import { stateOfRun } from "../words/status.ts";
import { Status } from "./status.tsx";
import { Table } from "./table.tsx";

const WIDTH = 400;
const HEIGHT = 120;
/** Fewer counts have no usual range. */
const ENOUGH = 6;
/** Earlier runs of the same weekday with which the last one is compared. */
const COMPARED = 20;

/** Runs newest first, as the API lists them. */
export function History({ runs, timezone }: { runs: Run[]; timezone: string }) {
  const past = runs.filter((run) => run.rows !== null || run.status === "failed").toReversed();
  const counts = past.flatMap((run) => (run.rows === null ? [] : [run.rows]));
  if (counts.length < 2) return <p class="soft card-text">Two runs with a result make a chart.</p>;
  const usual = usualRange(counts);
  const most = Math.max(1, ...counts, usual?.[1] ?? 0);
  const x = (index: number) => (past.length === 1 ? 0 : (index / (past.length - 1)) * (WIDTH - 12) + 6);
  const y = (rows: number) => HEIGHT - 8 - (rows / (most * 1.15)) * (HEIGHT - 16);
  let path = "";
  past.forEach((run, index) => {
    if (run.rows === null) return;
    const after = index > 0 && past[index - 1]?.rows !== null;
    path += `${after ? "L" : "M"}${x(index).toFixed(1)} ${y(run.rows).toFixed(1)}`;
  });
  const last = counts.at(-1) ?? 0;
  const hint = outOfTheOrdinary(runs, timezone);
  const label = `Rows of the last ${past.length} runs: ${number(Math.min(...counts))} to ${number(Math.max(...counts))}, the last ${number(last)}.`;
  return (
    <figure class="history">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
        {usual === undefined ? null : (
          <rect class="usual" x="0" width={WIDTH} y={y(usual[1])} height={Math.max(2, y(usual[0]) - y(usual[1]))} />
        )}
        <path class="zero" d={`M0 ${y(0)}H${WIDTH}`} />
        <path class="line" d={path} />
        {past.map((run, index) =>
          run.rows === null ? (
            <path key={run.run_id} class="failed" d={`M${x(index) - 4} ${HEIGHT - 12}l8 8m0-8l-8 8`} />
          ) : (
            <circle key={run.run_id} class="point" cx={x(index)} cy={y(run.rows)} r={past.length > 60 ? 1 : 2.5}>
              <title>{`${moment(run.scheduled_at, timezone)} ${zoneName(timezone)}: ${number(run.rows)} rows`}</title>
            </circle>
          ),
        )}
      </svg>
      {hint === undefined ? null : <p class="wait small">{hint}</p>}
      <figcaption class="small soft">
        <span>
          last {number(last)}
          {usual === undefined ? "" : ` · usually ${rangeInWords(usual)}`}
        </span>
        {past.at(-1)?.timings ? <span>{milliseconds(past.at(-1)?.timings?.total_ms ?? 0)} a run</span> : null}
      </figcaption>
      <details class="small">
        <summary>As a table</summary>
        <Table columns={[`Due (${zoneName(timezone)})`, "State", { numbers: "Rows" }]}>
          {past.toReversed().map((run) => (
            <tr key={run.run_id}>
              <td class="nowrap">{moment(run.scheduled_at, timezone)}</td>
              <td>
                <Status of={stateOfRun(run)} />
              </td>
              <td class="number">{run.rows === null ? "–" : number(run.rows)}</td>
            </tr>
          ))}
        </Table>
      </details>
    </figure>
  );
}

/** Says that the last result has more or fewer rows than those of its weekday have; undefined if it does not. */
export function outOfTheOrdinary(runs: Run[], timezone: string): string | undefined {
  const weekday = (run: Run) => day(run.scheduled_at, timezone).slice(0, 3);
  const [last, ...earlier] = runs.filter((run) => run.rows !== null);
  if (last === undefined || last.rows === null) return undefined;
  const alike = earlier.filter((run) => weekday(run) === weekday(last)).slice(0, COMPARED);
  const range = usualRange(alike.flatMap((run) => (run.rows === null ? [] : [run.rows])));
  if (range === undefined || (last.rows >= range[0] && last.rows <= range[1])) return undefined;
  return `Out of the ordinary: the last result has ${count(last.rows, "row")}, those of a ${weekday(last)} usually ${rangeInWords(range)}.`;
}

/** Returns a range as `28–34`, and one of a single number as that number. */
export function rangeInWords([least, most]: [number, number]): string {
  return least === most ? number(least) : `${number(least)}–${number(most)}`;
}

/** Returns the usual range: median ± 3 median absolute deviations (a hint; it stops no mail). */
export function usualRange(counts: number[]): [number, number] | undefined {
  if (counts.length < ENOUGH) return undefined;
  const middle = median(counts);
  const spread = 3 * median(counts.map((rows) => Math.abs(rows - middle)));
  return [Math.max(0, Math.floor(middle - spread)), Math.ceil(middle + spread)];
}

function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
}
