import type { RunDetail } from "../api/client.ts";
import { exactClock, milliseconds } from "../words/format.ts";

const WORDS: Record<string, string> = {
  "run-requested": "asked",
  "run-started": "taken",
  "attempt-failed": "attempt failed",
  "result-ready": "result",
  "run-failed": "failed",
  "run-skipped": "skipped",
  "run-cancelled": "cancelled",
  "input-kept": "input kept",
  "mail-sent": "accepted",
  "mail-failed": "refused",
  "mail-deferred": "mail waits",
  "mail-skipped": "no mail",
  "mail-requested": "asked to send again",
  "mail-bounced": "bounced",
};

type Entry = RunDetail["timeline"][number];

/** Every event of a run with the time since the one that began it; those of one type in a row, as of slices, as one. */
export function Timeline({ run, timezone }: { run: RunDetail; timezone: string | undefined }) {
  const start = Date.parse(run.timeline[0]?.time ?? run.scheduled_at);
  const since = ({ time }: Entry) => `+${milliseconds(Date.parse(time) - start)}`;
  return (
    <ol class="timeline">
      <li>
        <span class="soft">due</span> {exactClock(run.scheduled_at, timezone)}
      </li>
      {inRows(run.timeline).map(({ first, last, many }, index) => (
        <li key={first.sequence} title={`${first.type}, event ${first.sequence} of the log`}>
          <span class="soft">
            {many === 1 ? "" : `${many} × `}
            {WORDS[first.type] ?? first.type}
          </span>{" "}
          {index === 0 ? exactClock(first.time, timezone) : since(first)}
          {since(last) === since(first) ? null : ` to ${since(last)}`}
        </li>
      ))}
    </ol>
  );
}

/** Returns the events of one type that follow each other, by the first and the last of them. */
function inRows(timeline: Entry[]): { first: Entry; last: Entry; many: number }[] {
  const rows: { first: Entry; last: Entry; many: number }[] = [];
  for (const entry of timeline) {
    const row = rows.at(-1);
    if (row?.first.type === entry.type) {
      row.last = entry;
      row.many += 1;
    } else rows.push({ first: entry, last: entry, many: 1 });
  }
  return rows;
}

/** A shorter rest says nothing. */
const REST_FROM_MS = 1;
const STAGES = [
  ["fetch", "fetch_ms"],
  ["parse", "parse_ms"],
  ["script", "script_ms"],
  ["output", "output_ms"],
] as const;

/** How long each stage took, as bars that add up to the whole: the rest is what a run waits for its sandbox, and so on. */
export function Stages({ timings }: { timings: NonNullable<RunDetail["timings"]> }) {
  const stages = STAGES.flatMap(([word, field]) => {
    const spent = timings[field];
    return spent == null ? [] : [{ word, spent }];
  });
  const sum = Math.max(timings.total_ms, 1);
  const rest = sum - stages.reduce((total, { spent }) => total + spent, 0);
  const known = rest < REST_FROM_MS ? stages : [...stages, { word: "rest", spent: rest }];
  return (
    <dl class="stages small">
      {known.map(({ word, spent }) => (
        <div key={word}>
          <dt class="soft">{word}</dt>
          <dd>
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect width={Math.max(0.5, (spent / sum) * 100)} height="8" rx="1" />
            </svg>
            <span>{milliseconds(spent)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
