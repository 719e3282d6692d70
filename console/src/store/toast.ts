// One line at the foot of the page about what the user did last. It changes in place while a run goes on.
import { signal } from "@preact/signals";
import type { Run } from "../api/client.ts";
import { count } from "../words/format.ts";
import { stateOfRun } from "../words/status.ts";
import { onEvents, recentEvents } from "./events.ts";
import { foldRun, hasEnded } from "./fold.ts";

export interface Toast {
  text: string;
  tone: "soft" | "ok" | "bad";
  href?: string;
  /** What the reader can do about it. */
  action?: { word: string; act: () => void };
}

export const toast = signal<Toast | null>(null);

/** A toast goes after this time, unless it follows a run or has an action. */
const TOAST_MS = 6_000;
let timer = 0;
let stopFollowing = (): void => undefined;

export function show(text: string, tone: Toast["tone"] = "soft", href?: string): void {
  stopFollowing();
  put({ text, tone, ...(href === undefined ? {} : { href }) }, true);
}

/** Shows a toast that stays until its action, or until another one. */
export function offer(text: string, action: NonNullable<Toast["action"]>): void {
  stopFollowing();
  put({ text, tone: "soft", action }, false);
}

export function dismissToast(): void {
  stopFollowing();
  toast.value = null;
}

/** Shows how a run that was asked for just now goes on, until its mail is out. */
export function followRun(runId: string): void {
  stopFollowing();
  const href = `/console/runs/${runId}`;
  // Its first events may have come before the answer to the request did.
  const seen = recentEvents().filter((event) => event.run_id === runId);
  put({ text: "Asked for a run.", tone: "soft", href }, false);
  const update = (): void => {
    const run = seen.reduce<Run | undefined>((before, event) => foldRun(before, event) ?? before, undefined);
    if (run === undefined) return;
    const over = hasEnded(run.status) && run.status !== "processed";
    put({ ...describe(run), href }, over);
    if (over) stopFollowing();
  };
  stopFollowing = onEvents((events) => {
    seen.push(...events.filter((event) => event.run_id === runId));
    update();
  });
  update();
}

function describe(run: Run): Omit<Toast, "href"> {
  switch (run.status) {
    case "requested":
      return { text: "Asked for a run. It waits for a runner.", tone: "soft" };
    case "running":
      return { text: "Running…", tone: "soft" };
    case "processed":
      return { text: `${count(run.rows ?? 0, "row")}. The mail is on its way…`, tone: "soft" };
    case "delivered":
      if (stateOfRun(run) === "empty") return { text: "0 rows, so nobody got a mail.", tone: "soft" };
      return { text: `Delivered, ${count(run.rows ?? 0, "row")}.`, tone: "ok" };
    case "failed":
      return { text: `Failed: ${run.error?.message ?? "no reason given"}`, tone: "bad" };
    case "undelivered":
      return { text: "The result is there, but no mail server took it.", tone: "bad" };
    case "cancelled":
      return { text: "Cancelled. Nothing was mailed.", tone: "soft" };
    case "skipped":
      return { text: `Skipped: ${run.skipped?.detail ?? "no reason given"}`, tone: "soft" };
  }
}

function put(value: Toast, fades: boolean): void {
  clearTimeout(timer);
  toast.value = value;
  if (fades) timer = window.setTimeout(dismissToast, TOAST_MS);
}
