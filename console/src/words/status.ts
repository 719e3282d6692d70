// Each state as icon, word and tone. In strips a failure is also taller.
import type { Fate, Job, Run, RunStatus, Slot } from "../api/client.ts";
import type { IconName } from "../components/icon.tsx";

export type State = RunStatus | Fate | "paused" | "active" | "empty";
export type Tone = "ok" | "bad" | "wait" | "night" | "soft";

export const STATES: Record<State, { icon: IconName; word: string; tone: Tone }> = {
  delivered: { icon: "check", word: "delivered", tone: "ok" },
  empty: { icon: "empty", word: "empty", tone: "soft" },
  failed: { icon: "cross", word: "failed", tone: "bad" },
  undelivered: { icon: "cross", word: "undelivered", tone: "bad" },
  running: { icon: "dot", word: "running", tone: "night" },
  processed: { icon: "half", word: "result ready", tone: "night" },
  requested: { icon: "ring", word: "requested", tone: "night" },
  due: { icon: "ring", word: "due", tone: "soft" },
  skipped: { icon: "dash", word: "skipped", tone: "wait" },
  missed: { icon: "dotted", word: "missed", tone: "wait" },
  cancelled: { icon: "slash", word: "cancelled", tone: "soft" },
  paused: { icon: "pause", word: "paused", tone: "soft" },
  active: { icon: "ring", word: "active", tone: "soft" },
};

/** Returns the state of a run. The API calls a run without a row "delivered" also if nobody got a mail: that is "empty". */
export function stateOfRun(run: Pick<Run, "status" | "rows" | "mails">): State {
  const isEmpty = run.status === "delivered" && run.rows === 0 && !run.mails.some(({ kind }) => kind === "result");
  return isEmpty ? "empty" : run.status;
}

/** Returns the state of one of a job's last runs, whose mails a list of jobs does not have: the job says if it mails empty results. */
export function stateOfLastRun(run: Pick<Run, "status" | "rows">, job: Pick<Job, "when_empty">): State {
  return run.status === "delivered" && run.rows === 0 && job.when_empty === "skip" ? "empty" : run.status;
}

/** Returns the state of a due time. */
export function stateOfSlot(slot: Pick<Slot, "fate" | "empty">): Fate | "empty" {
  return slot.empty ? "empty" : slot.fate;
}
