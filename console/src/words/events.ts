// Each type of event in one line. A type that the console does not know yet shows its name alone.
import type { paths } from "../api/schema.d.ts";
import type { LogEvent } from "../store/events.ts";
import { bytes, count, milliseconds, moment } from "./format.ts";
import type { Tone } from "./status.ts";

export type EventQuery = NonNullable<paths["/events"]["get"]["parameters"]["query"]>;
export type EventType = NonNullable<EventQuery["type"]>;

// biome-ignore lint/suspicious/noExplicitAny: each type of event has its own body
type Body = Record<string, any>;
type Words = (body: Body) => string;

/** Why a mail is not sent. */
const NO_MAIL: Record<string, string> = {
  empty: "the result has no rows",
  unsubscribed: "every recipient has unsubscribed",
  streak: "the recipients got one of this job less than an hour ago",
  deleted: "the job was deleted before",
};

const by: Words = ({ actor }) => `by ${actor}`;
const SUMMARIES: Record<EventType, readonly [Tone, Words]> = {
  "job-created": ["night", by],
  "job-updated": ["night", ({ actor, job }) => `version ${job.version} by ${actor}`],
  "job-paused": ["soft", by],
  "job-resumed": ["night", by],
  "job-deleted": ["wait", by],
  "job-erased": ["wait", by],
  "recipient-unsubscribed": ["wait", ({ address }) => address],
  "run-requested": [
    "soft",
    ({ trigger, actor, scheduled_at }) =>
      trigger === "schedule" ? `due ${moment(scheduled_at)}` : `by hand, ${actor ?? "nobody named"}`,
  ],
  "run-started": ["soft", ({ runner, attempt }) => `on ${runner}${attempt > 1 ? `, attempt ${attempt}` : ""}`],
  "attempt-failed": ["wait", ({ error }) => `${error.stage}: ${error.message}`],
  "result-ready": ["ok", ({ rows, timings }) => `${count(rows, "row")} in ${milliseconds(timings.total_ms)}`],
  "run-failed": ["bad", ({ error }) => `${error.stage}: ${error.message}`],
  "run-skipped": ["wait", ({ reason, detail }) => detail || reason],
  "run-cancelled": ["soft", by],
  "input-kept": [
    "soft",
    ({ source, size, object_name }) => `${source}, ${bytes(size)}${object_name == null ? ", too large to keep" : ""}`,
  ],
  "mail-requested": ["soft", ({ recipients, actor }) => `to ${people(recipients)} again, by ${actor}`],
  "mail-sent": ["ok", ({ kind, recipients }) => `${kind} ${accepted(recipients)}`],
  "mail-failed": ["bad", ({ kind, reason }) => `${kind}: ${reason}`],
  "mail-deferred": ["wait", ({ kind, recipients }) => `${kind} waits for ${people(recipients)}`],
  "mail-skipped": ["soft", ({ kind, reason }) => `no ${kind} mail: ${NO_MAIL[reason] ?? reason}`],
  "mail-bounced": ["bad", ({ address, status }) => `${address} ${status}`],
};

export const EVENT_TYPES = Object.keys(SUMMARIES) as EventType[];

function people(recipients: unknown[]): string {
  return count(recipients.length, "person", "people");
}

function accepted(recipients: Body[]): string {
  return `${recipients.filter(({ outcome }) => outcome === "accepted").length}/${recipients.length} accepted`;
}

/** Returns what an event says, and its tone. An event of another version may lack what the words need. */
export function describeEvent({ type, data }: LogEvent): { tone: Tone; text: string } {
  const known = SUMMARIES[type as EventType];
  if (known === undefined) return { tone: "soft", text: "" };
  const [tone, words] = known;
  try {
    return { tone, text: words(data) };
  } catch {
    return { tone, text: "" };
  }
}
