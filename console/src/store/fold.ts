// What an event does to a run and to a job, as in the API's own projection (nightmail_api/read_model/run_projection.py).
// console/test compares both on a recorded log.
import type { Job, JobSummary, LastRun, Run, RunStatus } from "../api/client.ts";
import type { LogEvent } from "./events.ts";

// biome-ignore lint/suspicious/noExplicitAny: each type of event has its own body
type Body = Record<string, any>;

const ENDED: ReadonlySet<RunStatus> = new Set([
  "processed",
  "delivered",
  "failed",
  "undelivered",
  "skipped",
  "cancelled",
]);

export function hasEnded(status: RunStatus | null): boolean {
  return status !== null && ENDED.has(status);
}

/** Returns a run after an event about it; undefined if the event is about a run that it cannot begin. */
export function foldRun(run: Run | undefined, event: LogEvent): Run | undefined {
  const body: Body = event.data;
  const before = run ?? firstRun(event);
  if (before === undefined) return undefined;
  const status = run === undefined ? null : run.status;
  return { ...before, ...changes(before, status, event, body), status: statusAfter(status, event.type, body) };
}

function firstRun(event: LogEvent): Run | undefined {
  const body: Body = event.data;
  if (event.run_id === null || !["run-requested", "run-skipped"].includes(event.type)) return undefined;
  const skipped = event.type === "run-skipped";
  return {
    run_id: event.run_id,
    job_name: event.job_name,
    job_version: skipped ? body.job_version : body.job.version,
    trigger: skipped ? "schedule" : body.trigger,
    scheduled_at: inUtc(body.scheduled_at),
    status: "requested",
    late: body.late ?? false,
    requested_at: null,
    started_at: null,
    finished_at: null,
    rows: null,
    error: null,
    skipped: null,
    mails: [],
    timings: null,
  };
}

/** Returns a time as the API writes it: in UTC, with `Z`, and a fraction only where there is one. */
function inUtc(time: string): string {
  if (/(Z|\+00:00)$/.test(time)) return time.replace("+00:00", "Z");
  return new Date(time).toISOString().replace(".000Z", "Z");
}

function changes(run: Run, status: RunStatus | null, event: LogEvent, body: Body): Partial<Run> {
  switch (event.type) {
    case "run-requested":
      return status === null ? { requested_at: event.time } : {};
    case "run-started":
      return { started_at: event.time };
    case "run-cancelled":
      return hasEnded(status) ? {} : { finished_at: event.time };
    case "run-skipped": {
      const skipped = { reason: body.reason, detail: body.detail };
      if (hasEnded(status)) return status === "processed" ? { skipped } : {};
      return { finished_at: event.time, skipped, timings: timings(body) };
    }
    case "result-ready":
      return { finished_at: event.time, rows: body.rows, timings: timings(body) };
    case "run-failed":
      return { finished_at: event.time, error: { traceback: null, line: null, ...body.error }, timings: timings(body) };
    case "mail-sent":
    case "mail-failed":
    case "mail-deferred":
    case "mail-bounced":
      return { mails: mergeMails(run.mails, event.type, body) };
    default:
      return {};
  }
}

/** Returns the timings with every stage: the log leaves out one that was not reached. */
function timings({ timings }: Body): Run["timings"] {
  return timings == null ? null : { fetch_ms: null, parse_ms: null, script_ms: null, output_ms: null, ...timings };
}

/** Returns the latest outcome per kind of mail, recipient and slice. A mail that bounced stays so. */
function mergeMails(before: Run["mails"], type: string, body: Body): Run["mails"] {
  const latest = new Map(before.map((mail) => [keyOf(mail.kind, mail.address, mail.split_value), mail]));
  for (const mail of outcomesOf(type, body)) {
    const key = keyOf(body.kind, mail.address, body.split_value);
    const known = latest.get(key);
    if (known?.outcome === "bounced" && known.message_id === body.message_id) continue;
    latest.set(key, {
      kind: body.kind,
      ...mail,
      message_id: body.message_id,
      ...(body.split_value == null ? {} : { split_value: body.split_value }),
    } as Run["mails"][0]);
  }
  return [...latest.values()];
}

/** Returns what an event says about mails: the outcome of each recipient. */
export function outcomesOf(type: string, body: Body) {
  const waiting: Body[] = type === "mail-deferred" ? body.recipients : [];
  return [
    ...settledBy(type, body).map(({ address, outcome, answer }) => ({ address, outcome, answer })),
    ...waiting.map(({ address, answer, since, next_attempt }) => ({
      address,
      outcome: "waiting",
      answer,
      since,
      next_attempt,
    })),
  ];
}

function keyOf(kind: string, address: string, slice: string | null | undefined): string {
  return JSON.stringify([kind, address, slice ?? null]);
}

function settledBy(type: string, body: Body): Body[] {
  if (type === "mail-deferred") return body.settled ?? [];
  if (type !== "mail-bounced") return body.recipients;
  return [{ address: body.address, outcome: "bounced", answer: `${body.status} ${body.answer}` }];
}

export function statusAfter(before: RunStatus | null, type: string, body: Body): RunStatus {
  const open = !hasEnded(before);
  const ofResult = body.kind === "result";
  switch (type) {
    case "run-skipped":
      if (open || (before === "processed" && body.reason === "deleted")) return "skipped";
      break;
    case "run-cancelled":
      if (open) return "cancelled";
      break;
    case "run-started":
      if (open) return "running";
      break;
    case "result-ready":
      if (open) return "processed";
      break;
    case "run-failed":
      if (open) return "failed";
      break;
    case "mail-skipped":
      // A slice that is skipped says nothing about the others.
      if (ofResult && (body.split_value == null || before === "processed")) return "delivered";
      break;
    case "mail-sent":
      if (ofResult) return "delivered";
      break;
    case "mail-deferred":
      if (ofResult && (body.settled ?? []).some((one: Body) => one.outcome === "accepted")) return "delivered";
      break;
    case "mail-failed":
      if (ofResult && before !== "delivered") return "undelivered";
      break;
  }
  return before ?? "requested";
}

/** Returns a job after an event; null if it was deleted. What only the API knows, the next due time, stays. */
export function foldJob<T extends Job | JobSummary>(job: T, event: LogEvent): T | null {
  const body: Body = event.data;
  switch (event.type) {
    case "job-updated":
      return body.job.version > job.version ? { ...job, ...body.job } : job;
    case "job-paused":
      return { ...job, status: "paused", next_run: null };
    case "job-resumed":
      return { ...job, status: "active" };
    case "job-deleted":
    case "job-erased":
      return body.job_id === job.job_id ? null : job;
  }
  const isLast = job.last_run !== null && job.last_run.run_id === event.run_id;
  const run = foldRun(isLast ? asRun(job, job.last_run as LastRun) : undefined, event);
  return run === undefined ? job : { ...job, last_run: run };
}

function asRun(job: Job | JobSummary, last: LastRun): Run {
  return {
    ...last,
    job_name: job.job_name,
    job_version: job.version,
    late: false,
    skipped: null,
    mails: [],
    timings: null,
  };
}
