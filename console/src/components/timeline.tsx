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
  "input-kept": "input",
  "mail-sent": "accepted",
  "mail-failed": "refused",
  "mail-deferred": "mail waits",
  "mail-skipped": "no mail",
  "mail-requested": "asked to send again",
  "mail-bounced": "bounced",
};

/** Every event of a run, each with the time since the one that began it. */
export function Timeline({ run, timezone }: { run: RunDetail; timezone: string | undefined }) {
  const start = Date.parse(run.timeline[0]?.time ?? run.scheduled_at);
  return (
    <ol class="timeline">
      <li>
        <span class="soft">due</span> {exactClock(run.scheduled_at, timezone)}
      </li>
      {run.timeline.map((entry, index) => (
        <li key={entry.sequence} title={`${entry.type}, event ${entry.sequence} of the log`}>
          <span class="soft">{WORDS[entry.type] ?? entry.type}</span>{" "}
          {index === 0 ? exactClock(entry.time, timezone) : `+${milliseconds(Date.parse(entry.time) - start)}`}
        </li>
      ))}
    </ol>
  );
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
