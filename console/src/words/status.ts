// Each state as icon, word and tone. In strips a failure is also taller.
import type { Fate, RunStatus } from "../api/client.ts";
import type { IconName } from "../components/icon.tsx";

export type State = RunStatus | Fate | "paused" | "active";
export type Tone = "ok" | "bad" | "wait" | "night" | "soft";

export const STATES: Record<State, { icon: IconName; word: string; tone: Tone }> = {
  delivered: { icon: "check", word: "delivered", tone: "ok" },
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
